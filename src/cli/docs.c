/* SPDX-License-Identifier: Apache-2.0 */
/* docs: `heddle docs reference`, docs/reference.md from the tables of options, parameters, metrics,
 * conditions, features and problems. tools/check-docs fails when the file in the repository is not
 * this. */
#include <stdio.h>
#include <string.h>

#include "base/metric.h"
#include "cli/commands.h"
#include "ir/condition.h"
#include "ir/feature.h"
#include "model/problem.h"

static const struct {
    enum command_bit bit;
    const char *name;
} names[] = {
    {CMD_SERVE, "serve"},
    {CMD_BOOTSTRAP, "bootstrap"},
    {CMD_CHECK, "check"},
    {CMD_TRANSLATE, "translate"},
    {CMD_PROXIES, "proxies"},
    {CMD_DUMP, "dump"},
    {CMD_WHY, "why"},
    {CMD_PLAN, "plan"},
    {CMD_INTERCEPT, "agent intercept"},
    {CMD_SIDECAR, "agent sidecar"},
    {CMD_GATEWAY, "agent gateway"},
    {CMD_PROXYLESS, "agent proxyless"},
    {CMD_CNI_INSTALL, "cni install"},
    {CMD_CNI_CHECK, "cni check"},
};

/* A table cell: '|' would end it. */
static void cell(const char *text)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '|') {
            putchar('\\');
        }
        putchar(*c);
    }
}

static void print_options(void)
{
    printf("## Options\n\nEach can be given in the environment, too: `HEDDLE_CONFIG` for "
           "`--config`.\n\n| option | default | commands | meaning |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < OPTION_COUNT; i++) {
        const struct option_info *info = option_info((enum option_id)i);
        printf("| `--%s", info->name);
        if (info->argument != NULL) {
            putchar(' ');
            cell(info->argument);
        }
        printf("` | %s%s%s | ", info->fallback != NULL ? "`" : "",
               info->fallback != NULL ? info->fallback : "", info->fallback != NULL ? "`" : "");
        const char *separator = "";
        for (size_t j = 0; j < sizeof(names) / sizeof(names[0]); j++) {
            if ((info->commands & names[j].bit) != 0) {
                printf("%s%s", separator, names[j].name);
                separator = ", ";
            }
        }
        printf(" | ");
        cell(info->help);
        printf(" |\n");
    }
}

static const struct {
    const char *name, *fallback, *meaning;
} parameters[] = {
#define PARAMETER(member, name, kind, fallback, meaning) {name, fallback, meaning},
#include "ir/parameter.def"
#undef PARAMETER
};

static void print_parameters(void)
{
    printf("\n## Parameters of Gateways\n\nKeys of the ConfigMap that a GatewayClass or a Gateway "
           "names ([gateways.md](gateways.md#parameters)).\n\n| key | default | meaning "
           "|\n|---|---|---|\n");
    for (size_t i = 0; i < sizeof(parameters) / sizeof(parameters[0]); i++) {
        printf("| `%s` | `%s` | ", parameters[i].name, parameters[i].fallback);
        cell(parameters[i].meaning);
        printf(" |\n");
    }
}

static void print_metrics(void)
{
    printf("\n## Metrics\n\n| metric | labels | type | meaning |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < METRIC_COUNT; i++) {
        const struct metric_info *info = metric_info((enum metric_id)i);
        printf("| `%s` | %s | %s | %s |\n", info->name, info->labels,
               info->type == METRIC_COUNTER ? "counter" : "gauge", info->help);
    }
}

static void print_conditions(void)
{
    printf("\n## Conditions\n\nShown by `/api/status`. Types and reasons without a domain are the "
           "Gateway API's.\n\n| on | type | status | reason | meaning |\n|---|---|---|---|---|\n");
    for (unsigned i = 0; i < CONDITION_COUNT; i++) {
        const struct condition_info *info = condition_info((enum condition_id)i);
        printf("| %s | %s | %s | %s | %s |\n", info->object, info->type,
               info->status ? "True" : "False", info->reason, info->meaning);
    }
}

static void print_features(void)
{
    printf("\n## Features\n\nThe `supportedFeatures` of an XMesh and of a GatewayClass, by the "
           "Gateway "
           "API's names.\n\n| feature | mesh | Gateways | meaning |\n|---|---|---|---|\n");
    for (unsigned i = 0; i < FEATURE_COUNT; i++) {
        const struct feature_info *info = feature_info((enum feature_id)i);
        printf("| %s | %s | %s | %s |\n", info->name,
               (info->where & FEATURE_IN_MESH) != 0 ? "yes" : "",
               (info->where & FEATURE_IN_GATEWAY) != 0 ? "yes" : "", info->meaning);
    }
}

static void print_problems(void)
{
    printf("\n## Problems\n\nSaid by `heddle check`, the log and `/api/problems`. The codes never "
           "change their meaning.\n\n| code | severity | meaning |\n|---|---|---|\n");
    for (unsigned i = 0; i < PROBLEM_COUNT; i++) {
        const struct problem_info *info = problem_info((enum problem_code)i);
        printf("| %s | %s | %s |\n", info->code, severity_name(info->severity), info->meaning);
    }
}

static int run(const struct options *options)
{
    struct err err;
    if (options->arguments.len != 1 || strcmp(options->arguments.items[0], "reference") != 0) {
        err_set(&err, "say which: heddle docs reference");
        return command_fail(EXIT_USAGE, &err);
    }
    printf("# Reference\n\nMade by `heddle docs reference` from the tables in the source. "
           "Do not edit.\n\n");
    print_options();
    print_parameters();
    print_metrics();
    print_conditions();
    print_features();
    print_problems();
    return 0;
}

const struct command command_docs = {
    .name = "docs",
    .bit = CMD_DOCS,
    .arguments = "reference",
    .summary =
        "print docs/reference.md: options, parameters, metrics, conditions, features, problems",
    .details = "",
    .run = run,
};
