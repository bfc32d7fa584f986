// Commands that do one thing and leave. Each returns its exit code.
#pragma once

#include "config/options.h"

namespace atalaya::app {

int token(const config::Options& options);
int check(const config::Options& options);
int test(const config::Options& options);
int test_promql(const config::Options& options);
int package(const config::Options& options);
/// `alert` and `silence`.
int alerts_and_silences(const config::Options& options);
int incident(const config::Options& options);
int check_rules(const config::Options& options);
int test_rules(const config::Options& options);
int check_routes(const config::Options& options);
int test_routes(const config::Options& options);
int tsdb(const config::Options& options);
int dashboard(const config::Options& options);
int sensor(const config::Options& options);
int demo(const config::Options& options);
/// The verbs of `package` that need no server: pack, keygen.
int pack_package(const config::Options& options);
int make_package_key(const config::Options& options);

}  // namespace atalaya::app
