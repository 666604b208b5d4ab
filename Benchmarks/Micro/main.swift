// SPDX-License-Identifier: Apache-2.0

import Reactor

Process.exit(Command.run(Array(CommandLine.arguments.dropFirst())))
