// SPDX-License-Identifier: Apache-2.0

/// What is written down of a row in one test.
enum Quantity: String, CaseIterable {
    /// Processor time of the proxy for one request.
    case cpu
    case perSecond = "per_second"
    case p50, p99
    case resumedShare = "resumed_share"
    case resident, proportional
    /// For each idle connection, of so many.
    case eachOfThousand = "each_of_1000"
    case eachOfFiveThousand = "each_of_5000"
    case firstAnswer = "first_answer"
    /// What the rest of the machine used meanwhile.
    case others

    var unit: String {
        switch self {
        case .cpu: "us/request"
        case .perSecond: "1/s"
        case .p50, .p99: "us"
        case .resumedShare: "share"
        case .resident, .proportional, .eachOfThousand, .eachOfFiveThousand: "bytes"
        case .firstAnswer: "ms"
        case .others: "cores"
        }
    }
}
