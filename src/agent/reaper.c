/* SPDX-License-Identifier: Apache-2.0 */
/* reaper: see reaper.h. */
#include "agent/reaper.h"

#include <stddef.h>
#include <sys/wait.h>

#define REAP_MAX 4096 /* at a time; the next SIGCHLD brings the rest */

void reap_others(pid_t own)
{
    for (unsigned i = 0; i < REAP_MAX; i++) {
        siginfo_t info = {.si_pid = 0};
        if (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0 ||
            info.si_pid == own) {
            return;
        }
        (void)waitpid(info.si_pid, NULL, WNOHANG);
    }
}
