# Web servers for shell tests: source it after tap.sh.
# shellcheck shell=bash

free_port() {
	perl -MIO::Socket::INET -e \
		'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}

# nginx_temp_paths: lines for the http block of a configuration, so that nginx keeps to $TMP/nginx.
nginx_temp_paths() {
	local kind
	echo "client_body_temp_path $TMP/nginx/body;"
	for kind in proxy fastcgi uwsgi scgi; do echo "${kind}_temp_path $TMP/nginx/$kind;"; done
}
