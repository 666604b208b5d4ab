// SPDX-License-Identifier: Apache-2.0

import Policy

extension Command {
    static let health = Command(
        words: ["health"],
        summary: "asks a running gateway whether it is well: for probes of containers",
        flags: [
            Flag("--ready", "", "whether it is to get requests, too"), .setting(.adminListen),
            .setting(.policy), Flag("--ca", "FILE", "as for `agentport admin`"),
        ],
        notes: """
            Exits 0 where it is, else 1. It asks the admin listener, so that has to be on.

            example:
              agentport health --ready
            """
    ) { arguments throws(CommandFailure) in
        let client = AdminClient(target: try AdminTarget(arguments))
        let path = arguments.has("--ready") ? "/readyz" : "/livez"
        let answer = try client.ask("GET", path, isOpen: true)
        let text = String(decoding: answer.body, as: UTF8.self)
        guard answer.status == 200 else {
            throw .failed(text.isEmpty ? "\(answer.status)" : String(text.prefix { $0 != "\n" }))
        }
        return Console.show(text)
    }
}
