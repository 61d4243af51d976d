/* SPDX-License-Identifier: Apache-2.0 */
/* listener: binds, listens and accepts; pauses when file descriptors run out. */
#include "net/listener.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#include "base/panic.h"
#include "net/addr.h"
#include "net/loop.h"

struct listener {
    uv_poll_t poll;
    uv_timer_t pause;
    int fd;
    unsigned open_handles; /* the memory goes when both are closed */
    uint64_t pauses;
    listener_accepted_fn *accepted; /* NULL once the listener is closed */
    void *user;
    char address[ADDR_TEXT_MAX];
};

static void listener_readable(uv_poll_t *poll, int status, int events);

static void listener_pause_over(uv_timer_t *timer)
{
    struct listener *listener = timer->data;
    uv_poll_start(&listener->poll, UV_READABLE, listener_readable);
}

static void listener_out_of_files(struct listener *listener)
{
    listener->pauses++;
    uv_poll_stop(&listener->poll);
    uv_timer_start(&listener->pause, listener_pause_over, LISTENER_PAUSE_MS, 0);
}

static void listener_readable(uv_poll_t *poll, int status, int events)
{
    (void)status; /* what is wrong, accept4() tells too */
    (void)events;
    struct listener *listener = poll->data;
    for (unsigned n = 0; n < LISTENER_BATCH_MAX && listener->accepted != NULL; n++) {
        struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
        socklen_t len = sizeof(peer);
        int fd =
            accept4(listener->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            int on = 1;
            setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
            listener->accepted(listener->user, fd, &peer);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            listener_out_of_files(listener);
            return;
        } else if (errno == EAGAIN) {
            return;
        }
        /* Anything else (ECONNABORTED, EINTR, network errors) concerns that connection only. */
    }
}

/* Returns the socket, or -1 and err. */
static int listener_bind(struct str address, char ret_bound[ADDR_TEXT_MAX], struct err *err)
{
    struct sockaddr_storage addr;
    if (!addr_parse(address, &addr, err)) {
        return -1;
    }
    int fd = socket(addr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        err_set_errno(err, errno, "listen on '%.*s'", STR_FMT(address));
        return -1;
    }
    int on = 1;
    socklen_t len = sizeof(addr);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(fd, (const struct sockaddr *)&addr, addr_len(&addr)) != 0 ||
        listen(fd, LISTENER_BACKLOG) != 0 || getsockname(fd, (struct sockaddr *)&addr, &len) != 0) {
        err_set_errno(err, errno, "listen on '%.*s'", STR_FMT(address));
        close(fd);
        return -1;
    }
    addr_text(&addr, ret_bound);
    return fd;
}

struct listener *listener_new(struct loop *loop, struct str address, listener_accepted_fn *accepted,
                              void *user, struct err *err)
{
    char bound[ADDR_TEXT_MAX];
    int fd = listener_bind(address, bound, err);
    if (fd < 0) {
        return NULL;
    }
    struct listener *listener = xcalloc(1, sizeof(*listener));
    int rc = uv_poll_init(&loop->uv, &listener->poll, fd);
    if (rc != 0) {
        err_set(err, "listen on '%.*s': %s", STR_FMT(address), uv_strerror(rc));
        close(fd);
        free(listener);
        return NULL;
    }
    uv_timer_init(&loop->uv, &listener->pause);
    listener->poll.data = listener->pause.data = listener;
    listener->open_handles = 2;
    listener->fd = fd;
    listener->accepted = accepted;
    listener->user = user;
    memcpy(listener->address, bound, sizeof(bound));
    uv_poll_start(&listener->poll, UV_READABLE, listener_readable);
    return listener;
}

const char *listener_address(const struct listener *listener)
{
    return listener->address;
}

uint64_t listener_pauses(const struct listener *listener)
{
    return listener->pauses;
}

static void listener_handle_closed(uv_handle_t *handle)
{
    struct listener *listener = handle->data;
    if (--listener->open_handles == 0) {
        free(listener);
    }
}

void listener_free(struct listener *listener)
{
    if (listener == NULL) {
        return;
    }
    listener->accepted = NULL;
    uv_close((uv_handle_t *)&listener->poll, listener_handle_closed);
    uv_close((uv_handle_t *)&listener->pause, listener_handle_closed);
    close(listener->fd); /* only now: the loop has forgotten the number */
}
