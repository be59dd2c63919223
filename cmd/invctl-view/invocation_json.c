/* An invocation as JSON: see invocation_json.h. */
#include "invctl-view/invocation_json.h"

#include "common/request_json.h"
#include "os/clock.h"
#include "os/process.h"

/* Which one it is, and since when. */
static void write_identity(struct json *json, const struct inv_info *info)
{
	json_id(json, "id", info->id);
	json_text(json, "action", info->name);
	json_text(json, "status", inv_status_name(info->status));
	json_time(json, "timeRequested", info->requested_ns);
	json_time(json, "timeStarted", info->started_ns);
	json_time(json, "timeCompleted", info->completed_ns);
	json_id(json, "parent", info->parent);
}

static void write_process(struct json *json, const struct inv_info *info,
                          const struct details *details)
{
	json_number_or_null(json, "pid", info->pid, 0);
	json_number_or_null(json, "ownerPid", info->owner_pid, 0);
	json_number(json, "uid", info->uid);
	json_array(json, "command");
	for (char **word = details->command; word && *word; word++)
		json_text(json, NULL, *word);
	json_end(json);
	json_text(json, "cwd", details->cwd);
	json_bool(json, "orphaned", info->orphaned);
}

static void write_progress(struct json *json, const struct inv_info *info)
{
	if (info->progress_percent < 0) {
		json_null(json, "progress");
		return;
	}
	json_object(json, "progress");
	json_decimal(json, "percent", info->progress_percent);
	json_text_or_null(json, "message", info->progress_text);
	json_end(json);
}

static void write_waiting(struct json *json, const struct process_list *list)
{
	json_array(json, "waitingFor");
	for (size_t i = 0; i < list->count; i++) {
		json_object(json, NULL);
		json_number(json, "pid", list->items[i].pid);
		json_text(json, "command", list->items[i].name);
		json_end(json);
	}
	json_end(json);
}

static void write_finish(struct json *json, const struct inv_info *info)
{
	if (info->finish == INV_FINISH_NONE) {
		json_null(json, "finish");
		return;
	}
	json_object(json, "finish");
	json_text(json, "state", finish_state_name(info->finish));
	json_number_or_null(json, "exitStatus", info->finish_exit_status, -1);
	json_number_or_null(json, "signal", info->finish_signal, 0);
	json_end(json);
}

static void write_shield(struct json *json, const struct inv_info *info)
{
	char command[16];

	/* A finish command is shielded without one. */
	if (info->shield_limit_ns == 0) {
		json_null(json, "shield");
		return;
	}
	process_command(info->shield_pid, command);
	json_object(json, "shield");
	json_number_or_null(json, "pid", info->shield_pid, 0);
	json_text_or_null(json, "command", info->shield_pid != 0 ? command : NULL);
	json_time(json, "since", clock_realtime_ns() - info->shield_age_ns);
	if (info->shield_limit_ns == INV_FOREVER)
		json_null(json, "limit");
	else
		json_decimal(json, "limit", (double)info->shield_limit_ns / 1e9);
	json_bool(json, "ranOut", info->shield_ran_out);
	json_end(json);
}

static void write_state(struct json *json, const struct inv_info *info, enum state state,
                        const struct details *details)
{
	json_time(json, "deadline", info->deadline_ns);
	json_request(json, "cancel", &info->cancel);
	json_request(json, "laterRequest", &info->later);
	json_text(json, "state", state_name(state));
	write_waiting(json, &details->waiting_for);
	json_text(json, "output", details->output);
	json_number_or_null(json, "outputBytes",
	                    details->output ? (int64_t)details->output_bytes : -1, -1);
	write_finish(json, info);
	json_bool(json, "cooperative", info->cooperative);
	json_time(json, "lastCheck", info->last_check_ns);
	json_bool(json, "shielded", info->shielded);
	write_shield(json, info);
	json_bool(json, "paused", info->paused);
	json_bool(json, "finishing", info->finishing);
	write_progress(json, info);
}

static void write_outcome(struct json *json, const struct inv_info *info)
{
	json_number_or_null(json, "exitStatus", info->exit_status, -1);
	json_number_or_null(json, "signal", info->term_signal, 0);
	json_text(json, "cause",
	          info->cause != INV_CAUSE_NONE ? inv_cause_name(info->cause) : NULL);
	json_number(json, "logLost", info->log_lost);
}

void json_invocation(struct json *json, const struct inv_info *info, enum state state,
                     const struct details *details)
{
	write_identity(json, info);
	write_process(json, info, details);
	write_state(json, info, state, details);
	write_outcome(json, info);
}
