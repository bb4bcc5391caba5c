/* --key and --cert as keys to sign with. See signer_options.h. */
#include "provision/cli/signer_options.h"

int signer_options_load(const struct options *o, struct signer_options *out, struct err *e)
{
	struct signer_options s = {0};

	if (o->key_paths.n_items == 0)
		return err_set(
			e, ERR_USAGE,
			"--key FILE and --cert FILE are needed; `lkflash keygen` makes both");
	if (o->key_paths.n_items != o->cert_paths.n_items)
		return err_set(e, ERR_USAGE,
			       "%zu --key, but %zu --cert: give each key its certificate, in the "
			       "same order",
			       o->key_paths.n_items, o->cert_paths.n_items);
	if (o->key_paths.n_items > SIGNERS_MAX)
		return err_set(e, ERR_USAGE, "%zu keys; an image carries at most %d signatures",
			       o->key_paths.n_items, SIGNERS_MAX);
	for (size_t i = 0; i < o->key_paths.n_items; i++, s.n_keys++) {
		if (signing_key_load(o->key_paths.items[i], o->cert_paths.items[i], &s.keys[i], e) <
		    0) {
			signer_options_release(&s);
			return -1;
		}
	}
	*out = s;
	return 0;
}

void signer_options_release(struct signer_options *s)
{
	for (size_t i = 0; i < s->n_keys; i++)
		signing_key_free(s->keys[i]);
	*s = (struct signer_options){0};
}
