/* SPDX-License-Identifier: Apache-2.0 */
/* sanitizer: whether this is a build of a sanitizer, which gcc and clang say differently. */
#ifndef HEDDLE_BASE_SANITIZER_H
#define HEDDLE_BASE_SANITIZER_H

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZER_ADDRESS 1
#elif __has_feature(thread_sanitizer)
#define SANITIZER_THREAD 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) && !defined(SANITIZER_ADDRESS)
#define SANITIZER_ADDRESS 1
#elif defined(__SANITIZE_THREAD__) && !defined(SANITIZER_THREAD)
#define SANITIZER_THREAD 1
#endif

#endif
