// SPDX-License-Identifier: Apache-2.0

import Policy
import Reactor

/// Says that a state directory is this process's: of two that kept their states there, each would
/// undo what the other has acknowledged.
final class StateLock {
    private let descriptor: Descriptor

    init(_ folder: String) throws(ConfigurationFault) {
        let path = folder + "/lock"
        let held: Descriptor?
        do throws(SystemError) {
            held = try Files.lock(path)
        } catch {
            throw ConfigurationFault(.file(path), "cannot be locked: \(error.reason)")
        }
        guard let held else {
            throw ConfigurationFault(
                .file(folder), "another gateway uses this state directory: each needs its own")
        }
        descriptor = held
    }
}
