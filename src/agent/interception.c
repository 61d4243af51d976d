/* SPDX-License-Identifier: Apache-2.0 */
/*
 * interception: see interception.h.
 *
 * Reading rules needs a capability that the agent does not have. But the rules lead a port on which
 * nobody listens to the agent's own (agent/ruleset.c): who reaches it has proved them.
 */
#include "agent/interception.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ir/pod.h"

/* Within one machine a connection is made or refused at once. */
static bool reached(const struct sockaddr *address, socklen_t len)
{
    int fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok = fd >= 0 && connect(fd, address, len) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return ok;
}

bool interception_check(struct str mode, bool ipv6, struct err *err)
{
    const struct sockaddr_in v4 = {
        .sin_family = AF_INET,
        .sin_port = htons(POD_PROBE_PORT),
        .sin_addr = {htonl(INADDR_LOOPBACK)},
    };
    const struct sockaddr_in6 v6 = {
        .sin6_family = AF_INET6,
        .sin6_port = htons(POD_PROBE_PORT),
        .sin6_addr = IN6ADDR_LOOPBACK_INIT,
    };
    if (str_eq(mode, STR("none")) ||
        (reached((const struct sockaddr *)&v4, sizeof(v4)) &&
         (!ipv6 || reached((const struct sockaddr *)&v6, sizeof(v6))))) {
        return true;
    }
    if (str_eq(mode, STR("cni"))) {
        return err_set(err, "connections of this pod are not intercepted: heddle's CNI plugin was "
                            "not at work on this node when the pod was made; delete the pod once "
                            "it is, or inject it with heddle.dev/interception: redirect");
    }
    return err_set(err, "connections of this pod are not intercepted: run 'heddle agent intercept' "
                        "with the capability NET_ADMIN before (init container heddle-intercept)");
}
