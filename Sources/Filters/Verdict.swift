// SPDX-License-Identifier: Apache-2.0

/// What a filter says of a request.
package enum Verdict: Equatable, Sendable {
    case pass
    case refuse(Problem)
    /// Something else has to happen first: the request stands still, and the chain goes on at this
    /// filter when it is called again.
    case wait(Awaited)
}

/// What a request that stands still waits for.
package enum Awaited: Equatable, Sendable {
    /// More of the body: what follows the head in the bytes that the chain is given.
    case body
    /// Something that is kept outside this process.
    case state
}

/// How far a request came.
package struct ChainOutcome: Equatable, Sendable {
    package let verdict: Verdict
    /// The filter that gave the verdict; the chain's length after a pass.
    package let position: Int
}
