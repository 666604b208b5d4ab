// SPDX-License-Identifier: Apache-2.0

/// One subcommand: what it takes, what its help says, and what it does.
struct Command: Sendable {
    let name: String
    /// What it measures, in a line.
    let summary: String
    let options: [Option]
    /// Whether a gateway is started for it.
    var measuresGateway = true
    /// What the help says below the options.
    var notes = ""
    /// Adds what it finds.
    let run: @Sendable (Options, inout Report) throws(BenchmarkFault) -> Void

    /// Also those that every one has.
    var allOptions: [Option] {
        options + (measuresGateway ? [.agentport, .json, .strict] : [.json])
    }

    /// In the order of the help. What a later part of the suite measures is added here.
    static let all: [Command] = [
        .overhead, .cpu, .memory, .handshake, .start, .siege, .everything, .peers, .micro,
    ]
}
