#!/bin/bash
# Make a small world of certificates, revocation lists and signatures with openssl, the odd ones
# included, for the tests of flash/trust/. Usage: pki.sh FOLDER; all of it is over FOLDER/content,
# which is made when it is not there.
# What is valid is so from now: 30 days for signers, 3650 for CAs.
set -eEu -o pipefail
cd "$1"
OID=2.25.329221980177683935891885850895071942502
[ -e content ] || printf '{"lkflash-manifest":1,"name":"test"}\n' >content

key() { # NAME KIND
	case $2 in
	rsa*) openssl genrsa -out "$1.key" "${2#rsa}" ;;
	*) openssl ecparam -name "$2" -genkey -noout -out "$1.key" ;;
	esac
}

# ca NAME COMMON_NAME [KIND]: self-signed, with the key NAME.key, if there is one
ca() {
	[ -e "$1.key" ] || key "$1" "${3:-prime256v1}"
	openssl req -x509 -new -key "$1.key" -sha256 -days 3650 -subj "/CN=$2" -out "$1.pem" \
		-config <(printf '[req]\ndistinguished_name=d\nx509_extensions=x\n[d]\n[x]\n%s\n' \
			"${ca_extensions:-$ca_usage}")
}
ca_usage=$'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign,cRLSign
subjectKeyIdentifier=hash'

# issue NAME ISSUER KIND DAYS EXTENSION...: with the key NAME.key, if there is one, for $subject or
# NAME
issue() {
	local name=$1 issuer=$2 kind=$3 days=$4
	shift 4
	[ -e "$name.key" ] || key "$name" "$kind"
	openssl req -new -key "$name.key" -subj "/CN=${subject:-$name}" |
		openssl x509 -req -CA "$issuer.pem" -CAkey "$issuer.key" -sha256 -days "$days" \
			-set_serial "0x$(openssl rand -hex 8 | sed s/^./4/)" -out "$name.pem" \
			-extfile <(printf '%s\n' subjectKeyIdentifier=hash "$@")
}
signer() { # NAME [ISSUER [KIND]]
	issue "$1" "${2:-ca}" "${3:-prime256v1}" 30 "$no_ca" "$signs" "$code"
}
no_ca=basicConstraints=CA:FALSE
signs=keyUsage=critical,digitalSignature
code=extendedKeyUsage=codeSigning

# dated NAME START END: a signer, by ca
dated() {
	signer "$1"
	: >index
	openssl x509 -in "$1.pem" -x509toreq -signkey "$1.key" -out "$1.csr"
	printf '%s\n' '[ca]' default_ca=d '[d]' database=index default_md=sha256 policy=p \
		x509_extensions=x rand_serial=yes new_certs_dir=. '[p]' commonName=supplied \
		'[x]' "$no_ca" "$signs" "$code" >ca.conf
	openssl ca -batch -notext -config ca.conf -cert ca.pem -keyfile ca.key -in "$1.csr" \
		-startdate "$2" -enddate "$3" -out "$1.pem"
}

# crl NAME ISSUER [CERTIFICATE...]: for 7 days, with these revoked
crl() {
	local name=$1 issuer=$2 cert
	shift 2
	: >index
	printf '[ca]\ndefault_ca=d\n[d]\ndatabase=index\ndefault_md=sha256\n' >ca.conf
	for cert in "$@"; do
		openssl ca -config ca.conf -cert "$issuer.pem" -keyfile "$issuer.key" \
			-revoke "$cert.pem"
	done
	openssl ca -config ca.conf -cert "$issuer.pem" -keyfile "$issuer.key" -gencrl \
		-crldays 7 -out "$name.crl"
}

# sign NAME SIGNER [OPTION...], as the documentation says
sign() {
	local name=$1 cert=$2
	shift 2
	openssl cms -sign -binary -nosmimecap -md sha256 -outform DER -econtent_type $OID \
		-in content -signer "$cert.pem" -inkey "$cert.key" "$@" -out "$name.p7s"
}

# raw NAME SIGNER OPTION...: without those options
raw() {
	local name=$1 cert=$2
	shift 2
	openssl cms -sign -binary -in content -outform DER -signer "$cert.pem" \
		-inkey "$cert.key" "$@" -out "$name.p7s"
}

make_authorities() {
	# RSA keys take long to make: two serve for everything.
	key rsa rsa3072
	key rsa2048 rsa2048
	cp rsa.key rsa-all.key
	cp rsa.key rsa-ca.key
	cp rsa2048.key weak-ca.key
	ca ca "test CA"
	ca rogue "test CA"
	ca other "other CA"
	ca ca384 "P-384 CA" secp384r1
	ca rsa-ca "RSA CA"
	ca weak-ca "weak CA"
	ca_extensions=$'basicConstraints=critical,CA:TRUE\nkeyUsage=critical,keyCertSign' \
		ca no-crl-ca "no CRL CA"
	ca_extensions=$'basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign,digitalSignature' \
		ca self "self"
	ca_extensions=$'basicConstraints=critical,CA:TRUE\nkeyUsage=digitalSignature
extendedKeyUsage=codeSigning' ca self-code "self for code"
	ca_extensions=$'basicConstraints=CA:FALSE' ca no-ca "no CA"
	ca_extensions=2.5.29.19=DER:30:03:01:01:00 ca said-no-ca "said no CA"
	issue int ca prime256v1 3650 basicConstraints=critical,CA:TRUE,pathlen:0 \
		keyUsage=keyCertSign,cRLSign
	issue int-server ca prime256v1 3650 basicConstraints=critical,CA:TRUE \
		keyUsage=keyCertSign extendedKeyUsage=serverAuth
	issue int-no-ca ca prime256v1 3650 "$no_ca" keyUsage=keyCertSign
	issue int-any ca prime256v1 3650 basicConstraints=critical,CA:TRUE \
		keyUsage=keyCertSign extendedKeyUsage=anyExtendedKeyUsage
	issue int-brief ca prime256v1 10 basicConstraints=critical,CA:TRUE keyUsage=keyCertSign
	issue int-below int prime256v1 3650 basicConstraints=critical,CA:TRUE keyUsage=keyCertSign
}

make_signers() {
	signer good
	signer second
	signer third
	dated past 20200101000000Z 20210101000000Z
	dated future 20990101000000Z 20991231000000Z
	cp good.key good-again.key
	signer good-again
	signer elsewhere other
	signer stranger rogue
	signer p384 ca secp384r1
	signer p384-all ca384 secp384r1
	signer rsa
	signer rsa-all rsa-ca
	signer rsa2048
	signer p521 ca secp521r1
	signer k256 ca secp256k1
	signer below-weak weak-ca
	signer below-no-crl no-crl-ca
	signer deep int
	signer deep-too int
	signer below-server int-server
	signer below-no-ca int-no-ca
	signer below-any int-any
	signer below-brief int-brief
	signer below-below int-below
	issue no-eku ca prime256v1 30 "$no_ca" "$signs"
	issue any-eku ca prime256v1 30 "$no_ca" "$signs" \
		extendedKeyUsage=codeSigning,anyExtendedKeyUsage
	issue server ca prime256v1 30 "$no_ca" "$signs" extendedKeyUsage=serverAuth
	issue no-usage ca prime256v1 30 "$no_ca" "$code"
	issue agreement ca prime256v1 30 "$no_ca" keyUsage=critical,keyAgreement "$code"
}

make_revocation_lists() {
	crl none ca
	crl good-revoked ca good
	crl int-revoked ca int
	crl int-none int
	crl deep-revoked int deep
	crl rogue rogue good
	crl other other
	crl no-crl-ca no-crl-ca
	cat none.crl int-none.crl >both.crl
	printf '%s\n' '[x]' 'issuingDistributionPoint=critical,@i' '[i]' onlyuser=TRUE >>ca.conf
	openssl ca -config ca.conf -cert ca.pem -keyfile ca.key -gencrl -crldays 7 -crlexts x \
		-out partial.crl
	openssl crl -in none.crl -outform DER -out none-der.crl
}

make_signatures() {
	local name
	for name in good past future elsewhere stranger rsa rsa-all rsa2048 p521 k256 below-weak below-no-crl \
		no-eku any-eku server no-usage agreement self self-code; do
		sign $name $name
	done
	for name in p384 p384-all; do
		sign $name $name -md sha384
	done
	sign deep deep -certfile int.pem
	sign deep-alone deep
	cat int.pem ca.pem >int-and-ca.pem
	sign deep-root deep -certfile int-and-ca.pem
	sign below-server below-server -certfile int-server.pem
	sign below-no-ca below-no-ca -certfile int-no-ca.pem
	sign below-any below-any -certfile int-any.pem
	sign below-brief below-brief -certfile int-brief.pem
	cat int.pem int-below.pem >two-ints.pem
	sign below-below below-below -certfile two-ints.pem
	sign key-id good -keyid
	sign two good -signer second.pem -inkey second.key
	sign three good -signer second.pem -inkey second.key -signer third.pem -inkey third.key
	sign twice good -signer good-again.pem -inkey good-again.key
	sign two-of-three good -signer second.pem -inkey second.key \
		-signer elsewhere.pem -inkey elsewhere.key
	sign five good -signer second.pem -inkey second.key -signer third.pem -inkey third.key \
		-signer deep.pem -inkey deep.key -signer elsewhere.pem -inkey elsewhere.key
	sign mixed good -signer elsewhere.pem -inkey elsewhere.key
	sign with-revoked good -signer deep.pem -inkey deep.key -certfile int.pem
	sign superfluous good -certfile int.pem
	cat int.pem int-server.pem int-no-ca.pem int-any.pem int-brief.pem int-below.pem \
		second.pem third.pem >many.pem
	sign many good -certfile many.pem
	sign no-certs good -nocerts
	sign no-attributes good -noattr
	sign attached good -nodetach
	sign ber good -stream
	sign ber-attached good -stream -nodetach
	sign sha512 good -md sha512
	sign sha1 good -md sha1
	sign good-sha384 good -md sha384
	sign pss rsa -keyopt rsa_padding_mode:pss
	raw capabilities good -md sha256 -econtent_type $OID
	raw id-data good -md sha256 -nosmimecap
	raw other-type good -md sha256 -nosmimecap -econtent_type 2.25.1
	openssl cms -sign -binary -nosmimecap -md sha256 -econtent_type $OID -in content \
		-signer good.pem -inkey good.key -outform PEM -out good-pem.p7s
	openssl cms -sign -binary -nosmimecap -md sha256 -noattr -nodetach -outform DER \
		-in content -signer good.pem -inkey good.key -out plain.p7s
}

# What the operator's files may be like.
make_odd_files() {
	local n
	printf 'nothing of use\n' | tee odd.pem odd.key >odd.crl
	: >empty.crl
	cat ca.pem other.pem >two-cas.pem
	sed 's/^MII/MIJ/' second.pem | cat ca.pem - >half.pem
	openssl pkey -in good.key -aes256 -passout pass:secret -out locked.key
	openssl pkey -in good.key -outform DER -out good-der.key
	openssl x509 -in good.pem -outform DER -out good-der.pem
	cat deep.pem int.pem >deep-chain.pem
	cat deep.pem int.pem ca.pem >deep-chain-root.pem
	cat good.pem other.pem >deep-and-other.pem
	# Eight other intermediates of the name "int", of which four are shared by two signers.
	cp deep.pem deep-crowd.pem
	for n in 1 2 3 4 5 6 7 8; do
		subject=int issue int-again ca prime256v1 3650 basicConstraints=critical,CA:TRUE
		cat int-again.pem >>deep-crowd.pem
		[ $n != 4 ] || cp deep-crowd.pem deep-shared.pem
	done
	tail -c +$(($(stat -c %s deep.pem) + 1)) deep-shared.pem | cat deep-too.pem - >deep-too-shared.pem
}

exec 3>&2 >log 2>&1
trap 'cat log >&3' ERR
make_authorities
make_signers
make_revocation_lists
make_signatures
make_odd_files
