// SPDX-License-Identifier: Apache-2.0

import Glibc

guard let options = Options(Array(CommandLine.arguments.dropFirst())) else {
    print(Options.usage)
    exit(2)
}
exit(try Simulation(options).run() ? 0 : 1)
