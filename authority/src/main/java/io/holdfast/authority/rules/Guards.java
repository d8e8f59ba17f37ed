package io.holdfast.authority.rules;

import org.mozilla.javascript.ScriptableObject;

final class Guards {
    private static final String[] REMOVED = {
        "BigInt",
        "Continuation",
        "Promise",
        "Proxy",
        "Reflect",
        "Script",
        "With",
        "Call",
        "ArrayBuffer",
        "Int8Array",
        "Uint8Array",
        "Uint8ClampedArray",
        "Int16Array",
        "Uint16Array",
        "Int32Array",
        "Uint32Array",
        "BigInt64Array",
        "BigUint64Array",
        "Float32Array",
        "Float64Array",
        "DataView"
    };

    private final ScriptableObject global;
    private final RuleLimits limits;

    Guards(ScriptableObject global, RuleLimits limits) {
        this.global = global;
        this.limits = limits;
    }

    void install(Sandbox.Cell cell) {
        for (String name : REMOVED) {
            global.delete(name);
        }
    }
}
