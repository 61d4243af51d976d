/* SPDX-License-Identifier: Apache-2.0 */
/* pod: see pod.h. */
#include "agent/pod.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* The option, else the variable, else the option's default. */
static struct str known(const struct options *options, enum option_id option, const char *variable)
{
    struct str from_environment = str_from(getenv(variable));
    return options->given[option] || from_environment.len == 0 ? option_text(options, option)
                                                               : from_environment;
}

bool pod_read(const struct options *options, enum option_id xds, struct pod *ret_pod,
              struct err *err)
{
    struct host_port host_port;
    bootstrap_from(options, xds, &ret_pod->bootstrap);
    struct bootstrap *bootstrap = &ret_pod->bootstrap;
    bootstrap->ns = known(options, O_namespace, "POD_NAMESPACE");
    bootstrap->name = known(options, O_name, "POD_NAME");
    bootstrap->service_account = known(options, O_service_account, "SERVICE_ACCOUNT");
    bootstrap->node_name = known(options, O_node_name, "NODE_NAME");
    ret_pod->ip = known(options, O_pod_ip, "POD_IP");
    ret_pod->control = option_text(options, O_control);
    if (bootstrap->name.len == 0 && gethostname(ret_pod->host, sizeof(ret_pod->host) - 1) == 0) {
        ret_pod->host[sizeof(ret_pod->host) - 1] = '\0';
        bootstrap->name = str_from(ret_pod->host);
    }
    if (!host_port_parse(ret_pod->control, &host_port, err)) {
        return err_prefix(err, "--control");
    }
    return options->number[O_http_port] <= UINT16_MAX ||
           err_set(err, "--http-port %s is no port", options->text[O_http_port]);
}

bool pod_has_ipv6(void)
{
    const struct sockaddr_in6 any_port = {.sin6_family = AF_INET6,
                                          .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool has = fd >= 0 && bind(fd, (const struct sockaddr *)&any_port, sizeof(any_port)) == 0;
    if (fd >= 0) {
        close(fd);
    }
    return has;
}
