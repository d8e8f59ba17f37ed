package io.holdfast.dbus.address;

import static io.holdfast.fuzz.Inputs.require;
import static io.holdfast.fuzz.Inputs.same;

import io.holdfast.fuzz.Bounds;
import io.holdfast.fuzz.Inputs;

/** Lists of bus addresses: refused, or each address parses again from its own text. */
public final class AddressTarget {
    private AddressTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, AddressTarget::check);
    }

    private static void check(byte[] input) {
        try {
            for (BusAddress address : BusAddress.parseList(Inputs.text(input))) {
                same(BusAddress.parse(address.toString()), address);
            }
        } catch (BusAddressException e) {
            require(String.valueOf(e.getMessage()).startsWith("D-Bus address"), "says what it is");
        }
    }
}
