// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

/// What every Swift target is compiled with: the Swift 6 language mode, strict memory safety,
/// and no warning left standing.
let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableExperimentalFeature("Lifetimes"),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

func module(_ name: String, _ imports: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: imports, swiftSettings: settings)
}

func tests(_ name: String, _ imports: [Target.Dependency]) -> Target {
    .testTarget(
        name: name + "Tests", dependencies: [.byName(name: name), "TestSupport"] + imports,
        swiftSettings: settings)
}

let package = Package(
    name: "agentport",
    targets: [
        .systemLibrary(
            name: "COpenSSL", path: "CShims/COpenSSL", pkgConfig: "openssl",
            providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CLinux", path: "CShims/CLinux"),

        // Sources/README.md says what each is for. The order is the way the data flows.
        module("Bytes", []),
        module("Reactor", ["Bytes", "CLinux"]),
        module("Crypto", ["Bytes", "COpenSSL"]),
        module("TLS", ["Bytes", "Crypto", "COpenSSL"]),
        module("HTTP1", ["Bytes"]),
        module("JSON", ["Bytes"]),
        module("Identity", ["Bytes", "Crypto", "JSON"]),
        module("Policy", ["Bytes", "JSON"]),
        module("Telemetry", ["Bytes"]),
        module("Filters", ["Bytes", "Crypto", "HTTP1", "Identity", "Policy", "Telemetry"]),
        module(
            "Gateway",
            [
                "Bytes", "Reactor", "Crypto", "TLS", "HTTP1", "Identity", "Policy",
                "Telemetry", "Filters",
            ]),
        module(
            "Admin", ["Bytes", "Crypto", "HTTP1", "JSON", "Telemetry", "Identity", "Policy"]),
        module(
            "Control",
            [
                "Bytes", "Reactor", "Crypto", "TLS", "HTTP1", "Identity", "Policy", "Telemetry",
                "Admin",
            ]),
        .executableTarget(
            name: "agentport",
            dependencies: [
                "Bytes", "Reactor", "Crypto", "TLS", "HTTP1", "JSON", "Identity",
                "Policy", "Telemetry", "Filters", "Gateway", "Admin", "Control",
            ],
            swiftSettings: settings,
            linkerSettings: [.unsafeFlags(["-static-stdlib"])]),

        // `swift run -c release benchmarks` says what it measures; it drives the gateway, so that
        // is built with it.
        .systemLibrary(name: "CBenchmarks", path: "Benchmarks/CBenchmarks"),
        // What proxies are held against; Benchmarks/Peers/README.md.
        .executableTarget(
            name: "floor", dependencies: ["COpenSSL"], path: "Benchmarks/Peers/Floor"),
        .executableTarget(
            name: "benchmarks",
            dependencies: [
                "agentport", "floor", "CBenchmarks", "Bytes", "Reactor", "Crypto", "TLS", "HTTP1",
                "JSON", "Identity", "Policy", "Filters",
            ],
            path: "Benchmarks/Suite", swiftSettings: settings),

        // What several tests need; nothing else depends on it.
        .target(
            name: "TestSupport", dependencies: ["COpenSSL", "Policy"], path: "Tests/TestSupport",
            swiftSettings: settings),
        tests("Bytes", []),
        tests("Reactor", ["Bytes"]),
        tests("Crypto", ["Bytes", "COpenSSL"]),
        tests("TLS", ["Bytes", "Reactor", "Crypto", "COpenSSL"]),
        tests("HTTP1", ["Bytes"]),
        tests("JSON", ["Bytes"]),
        tests("Identity", ["Bytes", "Crypto", "JSON"]),
        tests("Policy", ["Bytes", "JSON"]),
        tests("Telemetry", ["Bytes"]),
        tests("Filters", ["Bytes", "Crypto", "HTTP1", "Identity", "Policy", "Telemetry"]),
        tests(
            "Gateway",
            ["Bytes", "Reactor", "Crypto", "TLS", "HTTP1", "Identity", "Policy", "Filters"]),
        tests("Admin", ["Bytes", "Crypto", "Identity", "JSON"]),
        tests("Control", ["Bytes", "Reactor", "Crypto", "TLS", "Identity"]),
        .testTarget(
            name: "BenchmarksTests", dependencies: ["benchmarks", "Bytes", "TestSupport"],
            swiftSettings: settings),
    ]
)

/// Fuzz targets, each in Tests/Fuzz/<name>; only when asked for, since they need libFuzzer's
/// `main`. Tests/Fuzz/run builds and runs them.
let fuzzTargets: [(name: String, imports: [Target.Dependency])] = [
    ("FuzzHead", ["Bytes", "HTTP1"]),
    ("FuzzChunked", ["Bytes", "HTTP1"]),
    ("FuzzHandshake", ["Bytes", "TLS", "COpenSSL"]),
    ("FuzzRecords", ["Bytes", "TLS"]),
    ("FuzzToken", ["Bytes", "Crypto", "JSON", "Identity"]),
]

if Context.environment["AGENTPORT_FUZZ"] != nil {
    for fuzz in fuzzTargets {
        package.targets.append(
            .target(
                name: fuzz.name, dependencies: fuzz.imports, path: "Tests/Fuzz/\(fuzz.name)",
                swiftSettings: settings))
        package.products.append(
            .library(name: fuzz.name, type: .static, targets: [fuzz.name]))
    }
}

/// The simulation, only when asked for: it needs the gateway built for testing. Tests/Simulation/run
/// builds and runs it.
if Context.environment["AGENTPORT_SIMULATION"] != nil {
    package.targets += [
        .target(
            name: "SimulatedKernel", dependencies: ["COpenSSL"], path: "Tests/Simulation/Kernel"),
        .executableTarget(
            name: "simulation",
            dependencies: [
                "SimulatedKernel", "COpenSSL", "TestSupport", "Bytes", "Reactor", "Crypto", "TLS",
                "Identity", "Policy", "Filters", "Gateway",
            ],
            path: "Tests/Simulation/World", swiftSettings: settings),
    ]
}
