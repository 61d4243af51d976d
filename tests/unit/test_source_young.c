/* SPDX-License-Identifier: Apache-2.0 */
/* Is a file that appears read when it is complete, and not before? */
#include "source_rig.h"

#define TEXT(name, label)                                                                          \
    "{apiVersion: v1, kind: Namespace, metadata: {name: " name ", labels: {l: " label "}}}\n"

static int create(const struct fixture *fixture, const char *path)
{
    int fd = open(at(fixture, path), O_WRONLY | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    return fd;
}

static void append(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void link_file(const struct fixture *fixture, const char *from, const char *to)
{
    assert_int_equal(link(at(fixture, from), at(fixture, to)), 0);
}

/* A file that never had a name, as editors and package managers make them. */
static void link_nameless(const struct fixture *fixture, const char *to, const char *text)
{
    char path[64];
    int fd = open(at(fixture, "conf"), O_WRONLY | O_TMPFILE, 0600);
    assert_true(fd >= 0);
    append(fd, text);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    assert_int_equal(linkat(AT_FDCWD, path, AT_FDCWD, at(fixture, to), AT_SYMLINK_FOLLOW), 0);
    close(fd);
}

static void a_linked_file_is_read(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, "conf", NULL);
    expect_events(fixture, "");
    link_nameless(fixture, "conf/a.yaml", TEXT("a", "1"));
    expect(fixture, "+a=1 ");
    write_file(fixture, "outside", TEXT("b", "1"));
    link_file(fixture, "outside", "conf/b.yaml");
    expect(fixture, "+b=1 ");
    /* with one name again before anyone looks */
    write_file(fixture, "outside2", TEXT("c", "1"));
    link_file(fixture, "outside2", "conf/c.yaml");
    unlink(at(fixture, "outside2"));
    expect(fixture, "+c=1 ");
    /* in place of another one */
    unlink(at(fixture, "conf/a.yaml"));
    link_nameless(fixture, "conf/a.yaml", TEXT("a", "2"));
    expect(fixture, "+a=2 ");
}

/* Who only reads it does not make it a file that is being written. */
static void a_linked_file_may_be_open(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, "conf", NULL);
    expect_events(fixture, "");
    link_nameless(fixture, "conf/a.yaml", TEXT("a", "1"));
    int fd = open(at(fixture, "conf/a.yaml"), O_RDONLY);
    close(fd);
    expect(fixture, "+a=1 ");
    link_nameless(fixture, "conf/b.yaml", TEXT("b", "1"));
    fd = open(at(fixture, "conf/b.yaml"), O_RDONLY);
    expect_nothing(fixture); /* that may be a writer */
    close(fd);
    expect(fixture, "+b=1 ");
}

static void half_a_file_is_not_read(void **state)
{
    struct fixture *fixture = *state;
    start(fixture, "conf", NULL);
    expect_events(fixture, "");
    int fd = create(fixture, "conf/a.yaml");
    append(fd, TEXT("a", "1") "---\n{");
    expect_nothing(fixture);
    int reader = open(at(fixture, "conf/a.yaml"), O_RDONLY);
    expect_nothing(fixture);
    close(reader);
    assert_int_equal(fchmod(fd, 0644), 0);
    expect_nothing(fixture);
    assert_int_equal(fixture->problem_calls, 0);
    append(fd, "}\n");
    assert_int_equal(ftruncate(fd, (off_t)strlen(TEXT("a", "1"))), 0);
    close(fd);
    expect(fixture, "+a=1 ");
    assert_int_equal(fixture->problem_calls, 0);
}

/* As vi and others save: the old file is moved away, and a new one written in its place. */
static void a_file_that_is_written_anew_keeps_its_objects(void **state)
{
    struct fixture *fixture = *state;
    write_file(fixture, "conf/a.yaml", TEXT("a", "1") "---\n" TEXT("b", "1"));
    start(fixture, "conf", NULL);
    expect_events(fixture, "+a=1 +b=1 ");
    move(fixture, "conf/a.yaml", "conf/a.yaml~");
    int fd = create(fixture, "conf/a.yaml");
    expect_nothing(fixture);
    append(fd, TEXT("a", "2"));
    expect_nothing(fixture);
    append(fd, "---\n" TEXT("b", "2"));
    close(fd);
    unlink(at(fixture, "conf/a.yaml~"));
    expect(fixture, "+a=2 +b=2 ");
    /* also when everything is read meanwhile */
    unlink(at(fixture, "conf/a.yaml"));
    fd = create(fixture, "conf/a.yaml");
    append(fd, TEXT("a", "3"));
    assert_int_equal(chmod(at(fixture, "conf"), 0750), 0);
    expect_nothing(fixture);
    append(fd, "---\n" TEXT("b", "3"));
    close(fd);
    expect(fixture, "+a=3 +b=3 ");
    /* unless it goes for good */
    unlink(at(fixture, "conf/a.yaml"));
    fd = create(fixture, "conf/a.yaml");
    expect_nothing(fixture);
    unlink(at(fixture, "conf/a.yaml"));
    expect(fixture, "-a -b ");
    append(fd, TEXT("a", "4"));
    close(fd);
    expect_nothing(fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_linked_file_is_read),
        TEST(a_linked_file_may_be_open),
        TEST(half_a_file_is_not_read),
        TEST(a_file_that_is_written_anew_keeps_its_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
