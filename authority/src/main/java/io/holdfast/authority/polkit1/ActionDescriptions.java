package io.holdfast.authority.polkit1;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.authority.AuthorityLimits;
import io.holdfast.authority.action.Action;
import io.holdfast.authority.action.ActionPool;
import io.holdfast.dbus.wire.MarshalledBody;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Struct;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What {@code EnumerateActions} answers: tens of kilobytes, hundreds of look-ups in catalogues, and
 * the same for all who have the same language. Safe for use by any thread.
 */
final class ActionDescriptions {
    static final String SIGNATURE = "a(ssssssuuua{ss})";

    /** How many answers are kept. */
    static final int MAX_KEPT = AuthorityLimits.LOCALES.intValue();

    /** How long one is kept: translations of other packages come later. */
    private static final long MAX_AGE_NANOS = 10_000_000_000L;

    /** A longer name of a locale is none, and its answer is not kept. */
    private static final int MAX_LOCALE = 64;

    private record Kept(ActionPool pool, MarshalledBody answer, long time) {
        @SuppressWarnings(
                "ReferenceEquality") // of the same reading; comparing what it says takes long
        boolean isOf(ActionPool current) {
            return pool == current && System.nanoTime() - time < MAX_AGE_NANOS;
        }
    }

    @GuardedBy("this")
    private final Map<String, Kept> kept = new LinkedHashMap<>(16, 0.75f, true);

    /**
     * @param locale as in {@code LANG}
     */
    MarshalledBody in(String locale, ActionPool pool) {
        synchronized (this) {
            Kept known = kept.get(locale);
            if (known != null && known.isOf(pool)) {
                return known.answer();
            }
        }
        MarshalledBody answer = describe(locale, pool);
        if (locale.length() <= MAX_LOCALE) {
            keep(locale, new Kept(pool, answer, System.nanoTime()));
        }
        return answer;
    }

    private synchronized void keep(String locale, Kept answer) {
        kept.put(locale, answer);
        if (kept.size() > MAX_KEPT) {
            kept.remove(kept.keySet().iterator().next());
        }
    }

    /** How many answers are kept now. */
    synchronized int size() {
        return kept.size();
    }

    private static MarshalledBody describe(String locale, ActionPool pool) {
        List<Struct> list = new ArrayList<>();
        for (Action action : pool.actions()) {
            list.add(
                    Struct.of(
                            action.id(),
                            action.description().in(locale),
                            action.message().in(locale),
                            action.vendor(),
                            action.vendorUrl(),
                            action.iconName(),
                            action.any().code(),
                            action.inactive().code(),
                            action.active().code(),
                            action.annotations()));
        }
        return MarshalledBody.of(Signature.of(SIGNATURE), List.of(list));
    }
}
