/* From an image to its signed sections, and signatures that were made elsewhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "flash/base/cleanup.h"
#include "flash/image/frame.h"
#include "flash/image/seal.h"
#include "flash/trust/match.h"

enum { IMAGE_BYTES = 65537 };

/* A CA with a signer, an image of two chunks, and what is said about it. */
struct fixture {
	char folder[sizeof "/tmp/lkflash-test-seal.XXXXXX"];
	struct signing_key *key;
	struct trust_store *store;
	struct seal_trust trust;
	uint8_t image[IMAGE_BYTES];
	struct survey *survey;
	char boards[1][MANIFEST_NAME_BYTES];
	struct manifest manifest;
	struct seal seal;
	struct buf signature;
};

static char *path_of(const struct fixture *f, const char *name)
{
	char *path = NULL;

	assert_true(asprintf(&path, "%s/%s", f->folder, name) > 0);
	return path;
}

static void make_keys(struct fixture *f)
{
	struct keygen_request r = {
		.folder = f->folder, .kind = KEY_P256, .ca_days = 2, .signer_days = 1};
	struct err e;

	assert_int_equal(keygen(&r, &e), 0);
	CLEANUP(freep) char *ca = path_of(f, "ca.pem");
	CLEANUP(freep) char *cert = path_of(f, "sign.pem");
	CLEANUP(freep) char *key = path_of(f, "sign.key");
	const char *const cas[] = {ca};
	struct trust_files files = {.ca_paths = cas, .n_ca_paths = 1};
	assert_int_equal(signing_key_load(key, cert, &f->key, &e), 0);
	assert_int_equal(trust_store_load(&files, &f->store, &e), 0);
	f->trust.store = f->store;
	f->trust.policy.now_s = time(NULL);
}

static struct survey *survey_of(const uint8_t *image, size_t n_bytes, unsigned chunk_log2)
{
	struct survey_request r = {.chunk_log2 = chunk_log2};
	struct survey *s = NULL;
	struct err e;

	assert_int_equal(source_mem_new(image, n_bytes, &r.source, &e), 0);
	assert_int_equal(survey_run(&r, &s, &e), 0);
	source_free(r.source);
	return s;
}

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof *f);
	struct err e;

	assert_non_null(f);
	strcpy(f->folder, "/tmp/lkflash-test-seal.XXXXXX");
	assert_non_null(mkdtemp(f->folder));
	make_keys(f);
	f->image[0] = 0x11;
	f->survey = survey_of(f->image, IMAGE_BYTES, 16);
	strcpy(f->boards[0], "rpi4");
	f->manifest = (struct manifest){.name = "gw",
					.version = "1",
					.boards = f->boards,
					.n_boards = 1,
					.sector_bytes = 512};
	assert_int_equal(seal_prepare(&f->manifest, f->survey, &f->seal, &e), 0);
	assert_int_equal(trust_sign(&f->key, 1, f->seal.manifest_json.bytes,
				    f->seal.manifest_json.n_bytes, &f->signature, &e),
			 0);
	*state = f;
	return 0;
}

static void forget(const struct fixture *f, const char *name)
{
	CLEANUP(freep) char *path = path_of(f, name);

	(void)unlink(path);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	forget(f, "ca.pem");
	forget(f, "ca.key");
	forget(f, "sign.pem");
	forget(f, "sign.key");
	(void)rmdir(f->folder);
	signing_key_free(f->key);
	trust_store_free(f->store);
	survey_free(f->survey);
	seal_release(&f->seal);
	buf_release(&f->signature);
	free(f);
	return 0;
}

/* The fixture's own signature, to be attached to its own image. */
static struct signed_bytes attachment_of(const struct fixture *f)
{
	return (struct signed_bytes){
		.content = f->seal.manifest_json.bytes,
		.content_bytes = f->seal.manifest_json.n_bytes,
		.signature = f->signature.bytes,
		.signature_bytes = f->signature.n_bytes,
	};
}

static void assert_attach_refused(const struct survey *survey, const struct signed_bytes *a,
				  const struct seal_trust *t, const char *reason)
{
	CLEANUP(buf_release) struct buf out = {0};
	struct err e = {0};

	assert_int_equal(seal_attach(survey, a, t, &out, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_int_equal(out.n_bytes, 0);
	assert_non_null(strstr(e.text, reason));
}

static void manifest_gets_what_the_survey_knows(void **state)
{
	struct fixture *f = *state;
	uint8_t digest[SHA256_BYTES];
	struct err e;

	assert_int_equal(f->manifest.image_size_bytes, IMAGE_BYTES);
	assert_memory_equal(f->manifest.image_sha256, f->survey->image_sha256, SHA256_BYTES);
	assert_int_equal(f->manifest.index_size_bytes, INDEX_HEADER_BYTES + 2 * INDEX_ENTRY_BYTES);
	assert_int_equal(digest_sha256(f->seal.index.bytes, f->seal.index.n_bytes, digest, &e), 0);
	assert_memory_equal(f->manifest.index_sha256, digest, SHA256_BYTES);
}

static void prepared_manifest_can_be_read(void **state)
{
	struct fixture *f = *state;
	struct manifest *m = NULL;
	struct err e;

	assert_int_equal(
		manifest_parse(f->seal.manifest_json.bytes, f->seal.manifest_json.n_bytes, &m, &e),
		0);
	assert_string_equal(m->name, "gw");
	assert_int_equal(m->image_size_bytes, IMAGE_BYTES);
	manifest_free(m);
}

static void manifest_that_readers_refuse_is_not_made(void **state)
{
	struct fixture *f = *state;
	struct manifest_partition outside = {
		.name = "p1", .start_bytes = IMAGE_BYTES, .size_bytes = 1};
	struct seal seal = {0};
	struct err e;

	f->manifest.partitions = &outside;
	f->manifest.n_partitions = 1;
	assert_int_equal(seal_prepare(&f->manifest, f->survey, &seal, &e), -1);
	assert_int_equal(e.code, ERR_USAGE);
	seal_release(&seal);
}

static void signed_sections_are_manifest_signature_and_index(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_release) struct buf sections = {0};
	CLEANUP(buf_release) struct buf wanted = {0};
	struct err e;

	assert_int_equal(seal_sign(&f->seal, &f->key, 1, NULL, &sections, &e), 0);
	frame_append(&wanted, "MANI", f->seal.manifest_json.bytes, f->seal.manifest_json.n_bytes);
	frame_append(&wanted, "SIGN", f->signature.bytes, f->signature.n_bytes);
	frame_append(&wanted, "INDX", f->seal.index.bytes, f->seal.index.n_bytes);
	assert_int_equal(sections.n_bytes, wanted.n_bytes);
	assert_memory_equal(sections.bytes, wanted.bytes, wanted.n_bytes);
}

static void signature_in_the_sections_is_trusted(void **state)
{
	struct fixture *f = *state;
	const struct signed_bytes b = {.signature = f->signature.bytes,
				       .signature_bytes = f->signature.n_bytes,
				       .content = f->seal.manifest_json.bytes,
				       .content_bytes = f->seal.manifest_json.n_bytes};
	struct trust_verdict verdict = {0};
	struct err e;

	assert_int_equal(trust_verify(f->store, &f->trust.policy, &b, &verdict, &e), 0);
}

static void own_signature_that_is_not_trusted_is_refused(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_release) struct buf sections = {0};
	struct err e;

	f->trust.policy.threshold = 2;
	assert_int_equal(seal_sign(&f->seal, &f->key, 1, &f->trust, &sections, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
	assert_int_equal(sections.n_bytes, 0);
}

static void signature_made_elsewhere_gives_the_same_sections(void **state)
{
	struct fixture *f = *state;
	struct signed_bytes a = attachment_of(f);
	CLEANUP(buf_release) struct buf wanted = {0};
	CLEANUP(buf_release) struct buf sections = {0};
	struct err e;

	assert_int_equal(seal_sign(&f->seal, &f->key, 1, NULL, &wanted, &e), 0);
	assert_int_equal(seal_attach(f->survey, &a, NULL, &sections, &e), 0);
	assert_int_equal(sections.n_bytes, wanted.n_bytes);
	assert_memory_equal(sections.bytes, wanted.bytes, wanted.n_bytes);
}

static void trusted_signature_is_attached(void **state)
{
	struct fixture *f = *state;
	struct signed_bytes a = attachment_of(f);
	CLEANUP(buf_release) struct buf sections = {0};
	struct err e;

	assert_int_equal(seal_attach(f->survey, &a, &f->trust, &sections, &e), 0);
}

static void signature_that_is_not_trusted_is_refused(void **state)
{
	struct fixture *f = *state;
	struct signed_bytes a = attachment_of(f);

	f->trust.policy.threshold = 2;
	assert_attach_refused(f->survey, &a, &f->trust, "signature");
}

static void signature_over_another_manifest_is_refused(void **state)
{
	struct fixture *f = *state;
	struct signed_bytes a = attachment_of(f);

	f->seal.manifest_json.bytes[f->seal.manifest_json.n_bytes - 1] = ' ';
	assert_attach_refused(f->survey, &a, NULL, "signature");
}

static void signature_cut_short_is_refused(void **state)
{
	struct fixture *f = *state;
	struct signed_bytes a = attachment_of(f);

	a.signature_bytes--;
	assert_attach_refused(f->survey, &a, NULL, "signature");
}

static void signed_text_that_is_no_manifest_is_refused(void **state)
{
	struct fixture *f = *state;
	CLEANUP(buf_release) struct buf signature = {0};
	struct err e;

	assert_int_equal(trust_sign(&f->key, 1, "{}", 2, &signature, &e), 0);
	struct signed_bytes a = {.content = "{}",
				 .content_bytes = 2,
				 .signature = signature.bytes,
				 .signature_bytes = signature.n_bytes};
	assert_attach_refused(f->survey, &a, NULL, "manifest");
}

static void another_image_is_refused(void **state)
{
	struct fixture *f = *state;
	struct signed_bytes a = attachment_of(f);

	f->image[1] = 0x22;
	struct survey *other = survey_of(f->image, IMAGE_BYTES, 16);
	assert_attach_refused(other, &a, NULL, "another image");
	survey_free(other);
}

static void image_of_another_size_is_refused(void **state)
{
	struct fixture *f = *state;
	struct signed_bytes a = attachment_of(f);

	struct survey *other = survey_of(f->image, IMAGE_BYTES - 1, 16);
	assert_attach_refused(other, &a, NULL, "another image");
	survey_free(other);
}

static void other_chunks_of_the_same_image_are_refused(void **state)
{
	struct fixture *f = *state;
	struct signed_bytes a = attachment_of(f);

	struct survey *other = survey_of(f->image, IMAGE_BYTES, 17);
	assert_attach_refused(other, &a, NULL, "other chunks or holes");
	survey_free(other);
}

static void bytes_that_are_no_signature_do_not_match(void **state)
{
	struct fixture *f = *state;
	const struct signed_bytes b = {.signature = f->signature.bytes,
				       .signature_bytes = 3,
				       .content = f->seal.manifest_json.bytes,
				       .content_bytes = f->seal.manifest_json.n_bytes};
	struct err e;

	assert_int_equal(match_signature(&b, &e), -1);
	assert_int_equal(e.code, ERR_UNTRUSTED);
}

#define WITH_FIXTURE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_FIXTURE(manifest_gets_what_the_survey_knows),
		WITH_FIXTURE(prepared_manifest_can_be_read),
		WITH_FIXTURE(manifest_that_readers_refuse_is_not_made),
		WITH_FIXTURE(signed_sections_are_manifest_signature_and_index),
		WITH_FIXTURE(signature_in_the_sections_is_trusted),
		WITH_FIXTURE(own_signature_that_is_not_trusted_is_refused),
		WITH_FIXTURE(signature_made_elsewhere_gives_the_same_sections),
		WITH_FIXTURE(trusted_signature_is_attached),
		WITH_FIXTURE(signature_that_is_not_trusted_is_refused),
		WITH_FIXTURE(signature_over_another_manifest_is_refused),
		WITH_FIXTURE(signature_cut_short_is_refused),
		WITH_FIXTURE(signed_text_that_is_no_manifest_is_refused),
		WITH_FIXTURE(another_image_is_refused),
		WITH_FIXTURE(image_of_another_size_is_refused),
		WITH_FIXTURE(other_chunks_of_the_same_image_are_refused),
		WITH_FIXTURE(bytes_that_are_no_signature_do_not_match),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
