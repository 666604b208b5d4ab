// SPDX-License-Identifier: Apache-2.0

extension Command {
    static let dev = Command(
        words: ["dev"],
        summary: "tries everything out: throw-away secrets, a sample upstream, ready curl lines",
        flags: [
            Flag("--port", "NUMBER", "the gateway's port on 127.0.0.1 (8443 unless given)"),
            Flag("--upstream", "URL", "your own upstream in place of the sample"),
        ],
        notes: """
            Everything it makes lies in a private temporary directory and is gone when it ends, as
            Ctrl-C makes it do. No environment variable matters but TMPDIR.

            example:
              agentport dev --port 9443 --upstream http://127.0.0.1:18789
            """
    ) { arguments throws(CommandFailure) in
        let port = try arguments.integer("--port", in: 1...65_535)
        return runDev(port: port.map { UInt16($0) }, upstream: arguments["--upstream"])
    }
}
