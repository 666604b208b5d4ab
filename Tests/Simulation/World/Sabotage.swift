// SPDX-License-Identifier: Apache-2.0

import SimulatedKernel

/// Faults of the world that the oracle must see: without them nobody could tell a run that finds
/// nothing from one that looks at nothing.
enum Sabotage: String, CaseIterable {
    /// The network brings a request twice.
    case double
    /// The upstream gives one call the answer to another.
    case swap
    /// The upstream says that it was cut, and was not.
    case pretence
    /// A slab is not given back.
    case leak
    /// A descriptor is not closed.
    case descriptor
    /// An answer is lost for no reason.
    case silence

    /// What the oracle has to call it.
    var expected: Failure.Kind {
        switch self {
        case .double: .twice
        case .swap: .foreign
        case .pretence: .cut
        case .leak, .descriptor: .leak
        case .silence: .unexplained
        }
    }

    func prepare(_ weather: inout Weather) {
        weather.slabs = nil
        if self == .double { weather.kernel.request_doubled = 50 }
    }
}
