/* SPDX-License-Identifier: Apache-2.0 */
/* Does the admin endpoint refuse connections beyond its limit, count them, and go on? Does it tell
 * about clients and objects only to who is on this host? */
#include <ifaddrs.h>
#include <net/if.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "admin/admin.h"
#include "base/log.h"
#include "base/metric.h"
#include "net_fixture.h"

static bool ready(void *user)
{
    (void)user;
    return true;
}

static int connect_to(const struct admin *admin)
{
    struct sockaddr_storage addr;
    assert_true(addr_parse(str_from(admin_address(admin)), &addr, NULL));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&addr, addr_len(&addr)), 0);
    return fd;
}

static void connections_are_limited(void **state)
{
    (void)state;
    static const char request[] = "GET /ready HTTP/1.1\r\nConnection: close\r\n\r\n";
    struct loop loop;
    struct admin *admin;
    struct err err;
    struct buf got;
    buf_init(&got, BUF_UNLIMITED);
    log_set_level(LOG_ERROR);
    assert_true(loop_init(&loop, "test", &err));
    const struct admin_config config = {
        .loop = &loop, .address = STR("127.0.0.1:0"), .conns_max = 1, .ready = ready};
    assert_true(admin_start(&config, &admin, &err));
    int first = connect_to(admin);
    int second = connect_to(admin);
    until(&loop, receive(second, &got) == 0);
    assert_int_equal(metric_get(M_admin_refused_connections), 1);
    assert_int_equal(write(first, request, sizeof(request) - 1), sizeof(request) - 1);
    until(&loop, receive(first, &got) == 0);
    assert_true(str_starts_with(buf_str(&got), STR("HTTP/1.1 200 ")));
    close(first);
    close(second);
    admin_stop(admin);
    loop_release(&loop);
    buf_release(&got);
}

/* --- who is told ----------------------------------------------------------------------------- */

static void tell(void *user, struct buf *out)
{
    (void)user;
    buf_printf(out, "{}");
}

static const struct admin_route routes[] = {{"/api/told", "what is told", tell, NULL}};

/* The status of the answer to GET path, asked at the address. */
static int ask(struct loop *loop, const struct admin *admin, struct sockaddr_storage to,
               const char *path)
{
    struct sockaddr_storage bound;
    char request[128];
    struct buf got;
    int status;
    buf_init(&got, BUF_UNLIMITED);
    assert_true(addr_parse(str_from(admin_address(admin)), &bound, NULL));
    ((struct sockaddr_in *)&to)->sin_port = htons(addr_port(&bound));
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, addr_len(&to)), 0);
    int len =
        snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nConnection: close\r\n\r\n", path);
    assert_int_equal(write(fd, request, (size_t)len), len);
    until(loop, receive(fd, &got) == 0);
    assert_int_equal(sscanf((const char *)got.data, "HTTP/1.1 %d ", &status), 1);
    close(fd);
    buf_release(&got);
    return status;
}

/* An IPv4 address of this host that is not of its loopback. */
static bool find_address(struct sockaddr_storage *ret_addr)
{
    struct ifaddrs *all;
    bool found = false;
    assert_int_equal(getifaddrs(&all), 0);
    for (const struct ifaddrs *one = all; one != NULL && !found; one = one->ifa_next) {
        found = one->ifa_addr != NULL && one->ifa_addr->sa_family == AF_INET &&
                (one->ifa_flags & IFF_LOOPBACK) == 0;
        if (found) {
            memcpy(ret_addr, one->ifa_addr, sizeof(struct sockaddr_in));
        }
    }
    freeifaddrs(all);
    return found;
}

static void others_are_told_little(void **state)
{
    (void)state;
    struct sockaddr_storage here, there;
    struct loop loop;
    struct err err;
    assert_true(addr_parse(STR("127.0.0.1:1"), &here, NULL));
    if (!find_address(&there)) {
        skip(); /* the cluster's tests ask from another pod */
    }
    assert_true(loop_init(&loop, "test", &err));
    struct admin_config config = {.loop = &loop,
                                  .address = STR("0.0.0.0:0"),
                                  .routes = routes,
                                  .nroutes = 1,
                                  .conns_max = 8,
                                  .ready = ready};
    for (int open = 0; open < 2; open++) {
        struct admin *admin;
        config.open = open;
        assert_true(admin_start(&config, &admin, &err));
        assert_int_equal(ask(&loop, admin, here, "/api/told"), 200);
        assert_int_equal(ask(&loop, admin, there, "/api/told"), open ? 200 : 403);
        assert_int_equal(ask(&loop, admin, there, "/ready"), 200);
        assert_int_equal(ask(&loop, admin, there, "/live"), 200);
        assert_int_equal(ask(&loop, admin, there, "/metrics"), 200);
        assert_int_equal(ask(&loop, admin, there, "/api/nothing"), 404);
        admin_stop(admin);
    }
    loop_release(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(others_are_told_little),
        cmocka_unit_test(connections_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
