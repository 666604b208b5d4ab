// SPDX-License-Identifier: Apache-2.0

/// Whose turn it is.
enum PeerTurn {
    /// Straight to the upstream: what latency is added to.
    case direct
    case through(PeerRow)

    var name: String {
        switch self {
        case .direct: Findings.direct
        case .through(let row): row.name
        }
    }
}
