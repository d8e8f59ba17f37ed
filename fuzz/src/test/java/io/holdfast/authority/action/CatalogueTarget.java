package io.holdfast.authority.action;

import static io.holdfast.fuzz.Inputs.require;

import io.holdfast.fuzz.Bounds;
import java.util.Map;

/** Message catalogues (.mo): read, or treated as missing; never more text than bytes. */
public final class CatalogueTarget {
    private CatalogueTarget() {}

    public static void fuzzerTestOneInput(byte[] input) throws Exception {
        Bounds.within(input, CatalogueTarget::check);
    }

    private static void check(byte[] input) {
        long length = 0;
        for (Map.Entry<String, String> message : Catalogue.read(input).entrySet()) {
            length += message.getKey().length() + message.getValue().length();
        }
        require(length <= input.length, "no more text than bytes");
    }
}
