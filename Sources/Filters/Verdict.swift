// SPDX-License-Identifier: Apache-2.0

/// What a filter says of a request.
package enum Verdict: Equatable, Sendable {
    case pass
    case refuse(Problem)
    /// Something else has to happen first (the body is needed, a store is asked): the request
    /// stands still, and the chain goes on at this filter when it is called again.
    case wait
}

/// How far a request came.
package struct ChainOutcome: Equatable, Sendable {
    package let verdict: Verdict
    /// The filter that gave the verdict; the chain's length after a pass.
    package let position: Int
}
