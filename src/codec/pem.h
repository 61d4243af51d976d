/* SPDX-License-Identifier: Apache-2.0 */
/* pem: texts in PEM, as OpenSSL reads them. */
#ifndef HEDDLE_CODEC_PEM_H
#define HEDDLE_CODEC_PEM_H

#include <openssl/bio.h>

#include "base/str.h"

BIO *pem_open(struct str text); /* borrows it; BIO_free() it */
/* For OpenSSL's readers: a text that asks for a passphrase is an error, not a prompt. */
int pem_no_passphrase(char *text, int size, int writing, void *arg);

#endif
