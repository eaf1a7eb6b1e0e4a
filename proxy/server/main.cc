#include "proxy/server/cli.h"

int main(int argc, char** argv) { return verge::server::run_cli(argc, argv, VERGE_VERSION); }
