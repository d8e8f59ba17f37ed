package io.holdfast.varlink;

import static io.holdfast.fuzz.Inputs.require;
import static io.holdfast.fuzz.Inputs.same;

import io.holdfast.fuzz.Bounds;
import io.holdfast.fuzz.Inputs;

/** Varlink addresses: refused, or parsed again from their own text. */
public final class VarlinkAddressTarget {
    private VarlinkAddressTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, VarlinkAddressTarget::check);
    }

    private static void check(byte[] input) {
        VarlinkAddress address;
        try {
            address = VarlinkAddress.parse(Inputs.text(input));
        } catch (IllegalArgumentException e) {
            require(e.getMessage() != null, "a refusal says why");
            return;
        }
        same(VarlinkAddress.parse(address.toString()), address);
    }
}
