/* SPDX-License-Identifier: Apache-2.0 */
/* Does a listener bind, report its port, hand out sockets, and survive running out of files? */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

#include "net/listener.h"
#include "net_fixture.h"

#define CLIENTS 100

struct guests {
    unsigned count;
    int fds[CLIENTS];
    uint16_t last_port;
};

static void accepted(void *user, int fd, const struct sockaddr_storage *peer)
{
    struct guests *guests = user;
    assert_true(guests->count < CLIENTS);
    guests->fds[guests->count++] = fd;
    guests->last_port = addr_port(peer);
}

static int connect_to(const char *address)
{
    struct sockaddr_storage addr;
    assert_true(addr_parse(str_from(address), &addr, NULL));
    int fd = socket(addr.ss_family, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, addr_len(&addr)), 0);
    return fd;
}

static void sockets_are_handed_out(void **state)
{
    (void)state;
    struct loop loop;
    struct guests guests = {.count = 0};
    int clients[CLIENTS];
    assert_true(loop_init(&loop, "test", NULL));
    struct listener *listener = listener_new(&loop, STR("127.0.0.1:0"), accepted, &guests, NULL);
    assert_non_null(listener);
    assert_null(strstr(listener_address(listener), ":0"));
    for (unsigned i = 0; i < CLIENTS; i++) {
        clients[i] = connect_to(listener_address(listener));
    }
    until(&loop, guests.count == CLIENTS);
    assert_true(guests.last_port > 0);
    int nodelay = 0;
    socklen_t len = sizeof(nodelay);
    assert_int_equal(getsockopt(guests.fds[0], IPPROTO_TCP, TCP_NODELAY, &nodelay, &len), 0);
    assert_true(nodelay != 0);
    assert_true((fcntl(guests.fds[0], F_GETFD) & FD_CLOEXEC) != 0);
    assert_true((fcntl(guests.fds[0], F_GETFL) & O_NONBLOCK) != 0);
    for (unsigned i = 0; i < CLIENTS; i++) {
        close(clients[i]);
        close(guests.fds[i]);
    }
    listener_free(listener);
    listener_free(NULL);
    loop_release(&loop);
}

static void what_cannot_be_bound_is_said(void **state)
{
    (void)state;
    struct loop loop;
    struct err err = {""};
    assert_true(loop_init(&loop, "test", NULL));
    struct listener *listener = listener_new(&loop, STR("127.0.0.1:0"), accepted, NULL, &err);
    assert_non_null(listener);
    struct str address = str_from(listener_address(listener));
    assert_null(listener_new(&loop, address, accepted, NULL, &err));
    assert_non_null(strstr(err.text, "listen on '127.0.0.1:"));
    assert_non_null(strstr(err.text, "Address already in use"));
    assert_null(listener_new(&loop, STR("nonsense"), accepted, NULL, &err));
    assert_non_null(strstr(err.text, "'nonsense'"));
    listener_free(listener);
    loop_release(&loop);
}

static void without_files_it_waits(void **state)
{
    (void)state;
    struct loop loop;
    struct guests guests = {.count = 0};
    struct rlimit old;
    assert_true(loop_init(&loop, "test", NULL));
    struct listener *listener = listener_new(&loop, STR("127.0.0.1:0"), accepted, &guests, NULL);
    int client = connect_to(listener_address(listener));
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &old), 0);
    struct rlimit none = {.rlim_cur = 0, .rlim_max = old.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    turn(&loop, 20);
    unsigned early = guests.count;
    uint64_t pauses = listener_pauses(listener);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &old), 0);
    assert_int_equal(early, 0);
    assert_int_equal(pauses, 1); /* not once for each turn */
    until(&loop, guests.count == 1);
    close(client);
    close(guests.fds[0]);
    listener_free(listener);
    loop_release(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sockets_are_handed_out),
        cmocka_unit_test(what_cannot_be_bound_is_said),
        cmocka_unit_test(without_files_it_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
