// SPDX-License-Identifier: Apache-2.0

/// The four commands of `totp`: their words and texts.
extension Command {
    private static let seedFile = Flag(
        "--seed-file", "FILE", "holds the seed in base32; without it, standard input is read")

    private static let codeFlags = [
        Flag("--digits", "NUMBER", "6 to 8; 6 unless given"),
        Flag("--algorithm", "NAME", "SHA1, SHA256 or SHA512; SHA1 unless given"),
        Flag("--period", "SECONDS", "30 unless given"),
    ]

    static let totpNew = Command(
        words: ["totp", "new"],
        summary: "makes a seed of 160 random bits",
        flags: [
            Flag("--seed-file", "FILE", "where to write it, for you alone to read; must not exist")
        ],
        notes: """
            Without --seed-file the seed is printed, in base32.

            example:
              agentport totp new --seed-file totp_seed
            """
    ) { arguments throws(CommandFailure) in
        try TOTPCommands.new(arguments)
    }

    static let totpCode = Command(
        words: ["totp", "code"],
        summary: "prints the current code of a seed, for scripts",
        flags: [seedFile] + codeFlags,
        notes: """
            A seed is never an argument: every user of the machine can read those.

            example:
              curl -H "X-AgentPort-TOTP: $(agentport totp code --seed-file totp_seed)" \\
                -H "Authorization: Bearer $KEY" https://localhost:8443/
            """
    ) { arguments throws(CommandFailure) in
        try TOTPCommands.code(arguments)
    }

    static let totpURI = Command(
        words: ["totp", "uri"],
        summary: "prints the otpauth:// URI that authenticator apps read",
        flags: [
            seedFile, Flag("--account", "NAME", "whose it is, in the app; `default` unless given"),
            Flag("--issuer", "NAME", "what it is for, in the app; `AgentPort` unless given"),
        ] + codeFlags,
        notes: """
            On a terminal, and where `qrencode` is installed, also shows it as a QR code. The URI
            holds the seed: keep it as secret.

            example:
              agentport totp uri --seed-file totp_seed --account weather-1
            """
    ) { arguments throws(CommandFailure) in
        try TOTPCommands.uri(arguments)
    }

    static let totpVerify = Command(
        words: ["totp", "verify"],
        summary: "checks a code against a seed",
        flags: [seedFile] + codeFlags,
        operand: "CODE",
        notes: """
            Prints `valid` and how far the code's step is from the present one, and exits 0; or
            prints `invalid` and exits 1. One step before and after counts, as it does in the
            gateway unless the policy says otherwise. Nothing is remembered: the code stays unused.

            example:
              agentport totp verify --seed-file totp_seed 123456
            """
    ) { arguments throws(CommandFailure) in
        try TOTPCommands.verify(arguments)
    }
}
