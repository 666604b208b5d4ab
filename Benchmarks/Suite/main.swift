// SPDX-License-Identifier: Apache-2.0

import Reactor

Process.exit(Shell.run(Array(CommandLine.arguments.dropFirst())))
