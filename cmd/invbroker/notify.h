/*
 * Telling the service manager how the broker stands, as sd_notify(3) does.
 */
#ifndef NOTIFY_H
#define NOTIFY_H

/* Send "READY=1", "STOPPING=1", "STATUS=...", or several of them in lines.
 * Nothing happens where no service manager listens. */
void notify_manager(const char *state);

#endif
