/* SPDX-License-Identifier: Apache-2.0 */
/* Does the admin endpoint refuse connections beyond its limit, count them, and go on? */
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(connections_are_limited),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
