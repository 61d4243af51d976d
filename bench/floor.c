/* SPDX-License-Identifier: Apache-2.0 */
/* floor: how fast could the kernel alone do it? */
#include "floor.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/panic.h"

#define EVENTS_MAX 1024
#define ROUND_LIMIT_MS 10000

struct floor {
    unsigned nsockets;
    int *writers;
    int *readers;
    size_t *got; /* bytes of this round, by socket */
    int epoll;
    uint8_t *bytes;
    /* of the round */
    size_t size;
    uint64_t start_ns;
};

static bool listen_loopback(int *ret_fd, struct sockaddr_in *ret_address, struct err *err)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) != 0 || listen(fd, 16) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        err_set_errno(err, errno, "cannot listen for the floor");
        close(fd);
        return false;
    }
    *ret_fd = fd;
    *ret_address = address;
    return true;
}

static bool open_pair(struct floor *floor, unsigned index, int listener,
                      const struct sockaddr_in *address)
{
    int on = 1;
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = index};

    floor->writers[index] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (floor->writers[index] < 0 ||
        connect(floor->writers[index], (const struct sockaddr *)address, sizeof(*address)) != 0) {
        return false;
    }
    floor->readers[index] = accept(listener, NULL, NULL);
    return floor->readers[index] >= 0 &&
           setsockopt(floor->writers[index], IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == 0 &&
           epoll_ctl(floor->epoll, EPOLL_CTL_ADD, floor->readers[index], &event) == 0;
}

bool floor_new(unsigned nsockets, struct floor **ret_floor, struct err *err)
{
    struct floor *floor = xcalloc(1, sizeof(*floor));
    struct sockaddr_in address;
    int listener;

    floor->nsockets = nsockets;
    floor->writers = xmalloc(nsockets * sizeof(int));
    floor->readers = xmalloc(nsockets * sizeof(int));
    memset(floor->writers, 0xff, nsockets * sizeof(int));
    memset(floor->readers, 0xff, nsockets * sizeof(int));
    floor->got = xcalloc(nsockets, sizeof(size_t));
    floor->bytes = xcalloc(1, FLOOR_BYTES_MAX);
    floor->epoll = epoll_create1(EPOLL_CLOEXEC);
    bool ok = listen_loopback(&listener, &address, err);
    if (ok) {
        for (unsigned i = 0; ok && i < nsockets; i++) {
            ok = open_pair(floor, i, listener, &address) ||
                 err_set_errno(err, errno, "cannot connect for the floor");
        }
        close(listener);
    }
    if (!ok) {
        floor_free(floor);
        return false;
    }
    *ret_floor = floor;
    return true;
}

void floor_free(struct floor *floor)
{
    if (floor == NULL) {
        return;
    }
    for (unsigned i = 0; i < floor->nsockets; i++) {
        close(floor->writers[i]);
        close(floor->readers[i]);
    }
    close(floor->epoll);
    free(floor->writers);
    free(floor->readers);
    free(floor->got);
    free(floor->bytes);
    free(floor);
}

static void *write_all(void *user)
{
    struct floor *floor = user;

    floor->start_ns = clock_mono_ns();
    for (unsigned i = 0; i < floor->nsockets; i++) {
        if (write(floor->writers[i], floor->bytes, floor->size) != (ssize_t)floor->size) {
            panic("the floor cannot write");
        }
    }
    return NULL;
}

/* Notes when each socket has its bytes, in order of completion. */
static bool read_all(struct floor *floor, uint64_t *at_ns)
{
    static uint8_t scratch[FLOOR_BYTES_MAX];
    struct epoll_event events[EVENTS_MAX];
    unsigned complete = 0;

    memset(floor->got, 0, floor->nsockets * sizeof(size_t));
    while (complete < floor->nsockets) {
        int nevents = epoll_wait(floor->epoll, events, EVENTS_MAX, ROUND_LIMIT_MS);
        if (nevents <= 0) {
            return false;
        }
        for (int i = 0; i < nevents; i++) {
            unsigned index = events[i].data.u32;
            ssize_t len = recv(floor->readers[index], scratch, sizeof(scratch), MSG_DONTWAIT);
            uint64_t now_ns = clock_mono_ns();
            floor->got[index] += len > 0 ? (size_t)len : 0;
            if (len > 0 && floor->got[index] == floor->size) {
                at_ns[complete++] = now_ns;
            }
        }
    }
    return true;
}

bool floor_round(struct floor *floor, size_t bytes, struct samples *samples, struct err *err)
{
    pthread_t writer;
    uint64_t *at_ns = xmalloc(floor->nsockets * sizeof(uint64_t));

    floor->size = bytes < FLOOR_BYTES_MAX ? bytes : FLOOR_BYTES_MAX;
    int rc = pthread_create(&writer, NULL, write_all, floor);
    if (rc != 0) {
        free(at_ns);
        return err_set_errno(err, rc, "cannot start a thread");
    }
    bool ok = read_all(floor, at_ns) || err_set(err, "the floor's bytes do not arrive");
    pthread_join(writer, NULL);
    for (unsigned i = 0; ok && i < floor->nsockets; i++) {
        samples_add(samples, at_ns[i] - floor->start_ns);
    }
    free(at_ns);
    return ok;
}
