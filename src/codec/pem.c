/* SPDX-License-Identifier: Apache-2.0 */
/* pem: see pem.h. */
#include "codec/pem.h"

#include <limits.h>

#include "base/panic.h"

BIO *pem_open(struct str text)
{
    ASSERT(text.len <= INT_MAX);
    BIO *bio = BIO_new_mem_buf(text.len > 0 ? text.ptr : "", (int)text.len);
    ASSERT(bio != NULL);
    return bio;
}

int pem_no_passphrase(char *text, int size, int writing, void *arg)
{
    (void)text;
    (void)size;
    (void)writing;
    (void)arg;
    return -1;
}
