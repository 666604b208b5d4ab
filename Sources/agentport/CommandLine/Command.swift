// SPDX-License-Identifier: Apache-2.0

/// One command: what it takes, what its help says, and what it does.
struct Command: Sendable {
    /// `totp code` has two words.
    let words: [String]
    /// What it does, in a line of the list of commands.
    let summary: String
    var flags: [Flag] = []
    /// What stands for the operand in the help, where it takes one.
    var operand: String?
    /// What the help says below the flags: details, an example, variables and files that matter.
    let notes: String
    /// - Returns: the exit status.
    let run: @Sendable (Arguments) throws(CommandFailure) -> Int32

    var name: String { (["agentport"] + words).joined(separator: " ") }
}

extension Command {
    static let all: [Command] =
        [.serve, .check, .dev, .totpNew, .totpCode, .totpURI, .totpVerify, .hashKey]
        + [.policySchema] + adminCommands + [.health, .keysExport, .version]

    /// Commands that are made of others.
    static let groups: [String: String] = [
        "totp": "makes, shows and checks TOTP seeds and codes",
        "policy": "says what a policy file may hold",
        "admin": "asks a running gateway, by its admin listener",
        "keys": "shows the keys that tokens are signed with",
    ]

    /// What the finished product has besides.
    static let notBuilt = [["policy", "test"], ["schema"], ["explain"], ["doctor"]]

    /// The last word of those whose other words are these.
    static func notBuilt(after words: [String]) -> [String] {
        notBuilt.filter { $0.dropLast() == words[...] }.compactMap(\.last)
    }

    static func members(of group: String) -> [Command] {
        all.filter { $0.words.count == 2 && $0.words[0] == group }
    }
}
