// SPDX-License-Identifier: Apache-2.0

import Crypto

extension Command {
    static let version = Command(
        words: ["version"],
        summary: "prints the version, and that of OpenSSL",
        notes: """
            example:
              agentport version
            """
    ) { _ throws(CommandFailure) in
        Console.show("agentport \(Version.current) (\(openSSLVersion()))\n")
    }
}
