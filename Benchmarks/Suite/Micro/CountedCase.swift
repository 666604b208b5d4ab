// SPDX-License-Identifier: Apache-2.0

/// What callgrind counted of a case.
struct CountedCase {
    let name: String
    let instructions: Double
}
