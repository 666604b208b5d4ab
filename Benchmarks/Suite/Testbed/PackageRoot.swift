// SPDX-License-Identifier: Apache-2.0

import Reactor

/// The package that this program was built from: its build folder lies in it.
enum PackageRoot {
    /// - Parameter place: from the root on.
    /// - Returns: the path where the root was found, else the place as it is, so that it counts
    ///   from the working folder.
    static func path(_ place: String) -> String {
        var folder = Process.executable[...]
        while let slash = folder.lastIndex(of: "/") {
            folder = folder[..<slash]
            if Files.exists(folder + "/Package.swift"), Files.exists(folder + "/" + place) {
                return folder + "/" + place
            }
        }
        return place
    }
}
