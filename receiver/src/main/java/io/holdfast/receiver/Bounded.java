package io.holdfast.receiver;

import java.util.LinkedHashMap;
import java.util.Map;

/** A table of {@link ReceiverLimits#SENDERS} entries, which forgets the one used least recently. */
final class Bounded<K, V> extends LinkedHashMap<K, V> {
    private static final long serialVersionUID = 1L;
    private static final float LOAD = 0.75f; // as usual

    Bounded() {
        super(16, LOAD, true);
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
        return size() > ReceiverLimits.SENDERS.intValue();
    }
}
