/* From the command line to a job. See job_options.h. */
#include "provision/cli/job_options.h"

#include "provision/cli/board_options.h"

static enum unmapped unmapped_of(const struct options *o)
{
	/* Choices count from 1, in the order keep|zero|discard; what was not chosen is kept. */
	return o->unmapped ? (enum unmapped)(o->unmapped - 1) : UNMAPPED_KEEP;
}

static enum capacity_probe capacity_probe_of(const struct options *o)
{
	return o->capacity_probe ? (enum capacity_probe)(o->capacity_probe - 1)
				 : CAPACITY_PROBE_AUTO;
}

int job_options_load(const struct options *o, const char *image_where,
		     const struct listener *listener, struct job_options *out, struct err *e)
{
	if (trust_options_load(o, &out->trust, e) < 0)
		return -1;
	out->request = (struct job_request){
		.image =
			{
				.where = image_where,
				.manifest_where = o->manifest_where,
				.bmap_where = o->bmap_where,
				.sums_where = o->sums_where,
				.store = out->trust.store,
				.policy = out->trust.policy,
				.is_unsigned_allowed = o->is_unsigned_allowed,
				.source = {.cancel = o->cancel, .tls_ca_path = o->tls_ca_path},
			},
		.board_id = o->board_id,
		.policy =
			{
				.refusal = {.is_fixed_disk_allowed = o->is_fixed_disk_allowed},
				.unmapped = unmapped_of(o),
				.capacity_probe = capacity_probe_of(o),
				.is_delta = o->is_delta,
				.n_retries = (unsigned)o->n_retries,
				.stall_timeout_ms = (unsigned)o->stall_timeout_s * 1000,
			},
		.state_dir = out->trust.state_dir,
		.listener = listener,
		.cancel = o->cancel,
	};
	return 0;
}

int job_options_load_targets(const struct options *o, struct job_options *j, struct err *e)
{
	j->request.targets = o->operands + 1;
	j->request.n_targets = o->n_operands - 1;
	if (board_options_load(o, &j->registry, e) < 0)
		return -1;
	j->request.registry = j->registry;
	return 0;
}

void job_options_release(struct job_options *j)
{
	registry_free(j->registry);
	trust_options_release(&j->trust);
}
