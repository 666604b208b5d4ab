// SPDX-License-Identifier: Apache-2.0

import Bytes
import Crypto
import JSON
import Policy
import Reactor

/// The commands of `admin`: each asks one thing of a running gateway and prints its answer.
extension Command {
    static let adminCommands: [Command] = [
        adminStatus, adminRotate, adminRevoke, adminDisable, adminEnable, adminKeys, adminReload,
        adminDrain,
    ]

    /// Where the gateway is, and what it lets in.
    private static let place: [Flag] = [
        .setting(.adminListen), .setting(.policy), .setting(.secretsDirectory),
        .setting(.stateDirectory),
        Flag("--token-file", "FILE", "the admin token; as the gateway finds it unless given"),
        Flag("--ca", "FILE", "PEM of who vouches for an admin listener off loopback"),
    ]

    private static let finding = """
        The admin listener and its token are found as the gateway finds them, so that on its own
        machine, or in its container, no flag is needed.
        """

    private static func plain(
        _ word: String, _ summary: String, method: String, path: String, example: String
    ) -> Command {
        Command(
            words: ["admin", word], summary: summary, flags: place,
            notes: """
                \(finding)

                example:
                  \(example)
                """
        ) { arguments throws(CommandFailure) in
            try AdminCommands.ask(arguments, method, path)
        }
    }

    private static let adminStatus = plain(
        "status", "shows what the gateway is and does", method: "GET", path: "/admin/status",
        example: "agentport admin status")

    private static let adminReload = plain(
        "reload", "reads policy, certificates and secrets anew, as SIGHUP does", method: "POST",
        path: "/admin/reload", example: "agentport admin reload")

    private static let adminDrain = plain(
        "drain", "ends the gateway once nothing is open any more, as SIGTERM does",
        method: "POST", path: "/admin/drain", example: "agentport admin drain")

    private static let adminRotate = Command(
        words: ["admin", "rotate"],
        summary: "puts a new seed of an agent in force; the old one goes on for a while",
        flags: [
            Flag("--seed-file", "FILE", "holds the new seed; without it, standard input is read"),
            Flag("--expires-at", "TIME", "when the old one ends; the policy's grace unless given"),
            Flag("--idempotency-key", "TEXT", "makes the same call harmless when it is repeated"),
        ] + place,
        operand: "AGENT",
        notes: """
            A TIME that has passed ends the old seed at once, and with it the sessions that its
            codes have opened. \(finding)

            example:
              agentport totp new --seed-file new_seed
              agentport admin rotate weather-1 --seed-file new_seed
            """
    ) { arguments throws(CommandFailure) in
        try AdminCommands.rotate(arguments)
    }

    private static let adminRevoke = Command(
        words: ["admin", "revoke"],
        summary: "ends sessions: an agent's, one, or all",
        flags: [
            Flag("--sid", "NAME", "the one that tokens call by this `sid`"),
            Flag("--all", "", "those of all agents"),
        ] + place,
        operand: "AGENT",
        notes: """
            \(finding)

            examples:
              agentport admin revoke weather-1
              agentport admin revoke --all
            """
    ) { arguments throws(CommandFailure) in
        try AdminCommands.revoke(arguments)
    }

    private static func switching(_ word: String, _ summary: String) -> Command {
        Command(
            words: ["admin", word], summary: summary, flags: place, operand: "AGENT",
            notes: """
                It holds over restarts. \(finding)

                example:
                  agentport admin \(word) weather-1
                """
        ) { arguments throws(CommandFailure) in
            let agent = try AdminCommands.agent(arguments)
            return try AdminCommands.ask(arguments, "POST", "/admin/agents/\(agent)/\(word)")
        }
    }

    private static let adminDisable = switching(
        "disable", "refuses an agent from now on, and ends its sessions")
    private static let adminEnable = switching(
        "enable", "lets an agent in again, and forgets its failures")

    private static let adminKeys = Command(
        words: ["admin", "keys"],
        summary: "shows the signing keys; `rotate` publishes the next",
        flags: place, operand: "[rotate]",
        notes: """
            A new key signs once verifiers that cache the key set must have seen it, and the old one
            stays published until its last token has ended. \(finding)

            examples:
              agentport admin keys
              agentport admin keys rotate
            """
    ) { arguments throws(CommandFailure) in
        switch arguments.operands.first {
        case nil: return try AdminCommands.ask(arguments, "GET", "/admin/keys")
        case "rotate": return try AdminCommands.ask(arguments, "POST", "/admin/keys/rotate")
        case let word?:
            throw .usage("\(Printable.quoted(word)) is not `rotate`, all that can be done to keys")
        }
    }
}

enum AdminCommands {
    static func ask(
        _ arguments: Arguments, _ method: String, _ path: String, body: [UInt8] = [],
        fields: [(name: String, value: String)] = []
    ) throws(CommandFailure) -> Int32 {
        let client = AdminClient(target: try AdminTarget(arguments))
        let answer = try client.ask(method, path, body: body, fields: fields)
        return Console.show(try answer.text())
    }

    /// What can stand in a path as it is: every name of an agent can.
    static func agent(_ arguments: Arguments) throws(CommandFailure) -> String {
        guard let name = arguments.operands.first else {
            throw .usage("the agent's name is missing")
        }
        let isName = name.utf8.allSatisfy {
            $0.isLetter || $0.isDigit || "._@-".utf8.contains($0)
        }
        guard isName, !name.isEmpty else {
            throw .usage("\(Printable.quoted(name)) is no name of an agent")
        }
        return name
    }

    static func rotate(_ arguments: Arguments) throws(CommandFailure) -> Int32 {
        let agent = try agent(arguments)
        let path = arguments["--seed-file"]
        guard path != nil || !Terminal.isInput else {
            throw .usage("`--seed-file` is missing, and nothing is piped into standard input")
        }
        let seed: SecretBytes
        do throws(FileFault) {
            if let path {
                seed = try SecretFile.read(path)
            } else {
                seed = try SecretFile.readStandardInput()
            }
        } catch {
            throw .failed("\(path ?? "standard input"): \(error)")
        }
        let text = seed.trimmedText
        var writer = JSONWriter(.compact)
        writer.object { writer in
            writer.member("agent", agent)
            writer.member("seed", text)
            if let end = arguments["--expires-at"] { writer.member("expires_at", end) }
        }
        let key = arguments["--idempotency-key"]
        return try ask(
            arguments, "POST", "/admin/secrets", body: writer.bytes,
            fields: key.map { [("idempotency-key", $0)] } ?? [])
    }

    static func revoke(_ arguments: Arguments) throws(CommandFailure) -> Int32 {
        let which = [
            arguments.operands.first == nil ? nil : "agent",
            arguments.has("--sid") ? "sid" : nil, arguments.has("--all") ? "all" : nil,
        ].compactMap { $0 }
        guard which.count == 1 else {
            throw .usage("one of these says which sessions: AGENT, `--sid`, `--all`")
        }
        var writer = JSONWriter(.compact)
        let agent = which[0] == "agent" ? try agent(arguments) : ""
        writer.object { writer in
            switch which[0] {
            case "agent": writer.member("agent", agent)
            case "sid": writer.member("sid", arguments["--sid"] ?? "")
            default: writer.member("all", true)
            }
        }
        return try ask(arguments, "POST", "/admin/sessions/revoke", body: writer.bytes)
    }
}
