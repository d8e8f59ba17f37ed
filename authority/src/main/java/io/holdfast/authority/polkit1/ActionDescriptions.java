package io.holdfast.authority.polkit1;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import io.holdfast.authority.AuthorityLimits;
import io.holdfast.authority.action.Action;
import io.holdfast.authority.action.ActionPool;
import io.holdfast.dbus.marshal.MarshalledBody;
import io.holdfast.dbus.wire.Signature;
import io.holdfast.dbus.wire.Struct;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The replies of {@code EnumerateActions}, cached by locale: one is tens of kilobytes, takes
 * hundreds of catalogue look-ups, and is the same for all callers with the same language.
 * Thread-safe.
 */
final class ActionDescriptions {
    static final String SIGNATURE = "a(ssssssuuua{ss})";

    /** The maximum number of cached replies. */
    static final int MAX_KEPT = AuthorityLimits.LOCALES.intValue();

    /** How long a reply is cached: translations may be installed later. */
    private static final long MAX_AGE_NANOS = 10_000_000_000L;

    /** The longest name of a locale; the reply for a longer one is not cached. */
    private static final int MAX_LOCALE = 64;

    private record Kept(ActionPool pool, MarshalledBody answer, long time) {
        @SuppressWarnings(
                "ReferenceEquality") // the same snapshot; comparing all actions takes long
        boolean isOf(ActionPool current) {
            return pool == current && System.nanoTime() - time < MAX_AGE_NANOS;
        }
    }

    @GuardedBy("this")
    private final Map<String, Kept> cache = new LinkedHashMap<>(16, 0.75f, true);

    /**
     * Returns the reply for a locale.
     *
     * @param locale as in {@code LANG}
     */
    MarshalledBody in(String locale, ActionPool pool) {
        synchronized (this) {
            Kept known = cache.get(locale);
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
        cache.put(locale, answer);
        if (cache.size() > MAX_KEPT) {
            cache.remove(cache.keySet().iterator().next());
        }
    }

    /** Returns how many replies are cached now. */
    synchronized int size() {
        return cache.size();
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
