package io.holdfast.dbus.typed;

import io.holdfast.dbus.typed.value.ArgumentNames;
import io.holdfast.dbus.typed.value.RecordShape;
import io.holdfast.dbus.typed.value.Reflected;
import io.holdfast.dbus.typed.value.WireType;
import io.holdfast.dbus.wire.Signature;
import java.lang.reflect.AnnotatedParameterizedType;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.lang.reflect.ParameterizedType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * Checks a Java interface, and derives its D-Bus interface. Every fault of it is an
 * IllegalArgumentException that names interface, method and parameter.
 */
final class InterfaceReader {
    private final Class<?> type;
    private final Map<String, TypedMethod> methods = new TreeMap<>();
    private final Map<String, PropertyDraft> properties = new TreeMap<>();
    private final Map<String, TypedSignal> signals = new TreeMap<>();

    InterfaceReader(Class<?> type) {
        this.type = type;
    }

    TypedInterface read() {
        String name = at(type.getSimpleName(), this::name);
        Method[] all = type.getMethods();
        // getMethods has no defined order; sorted by name, every run and every error is the same.
        Arrays.sort(all, Comparator.comparing(Method::getName).thenComparing(Method::toString));
        for (Method method : all) {
            String subject = subject(method);
            boolean isMember = isMember(method);
            if (isMember || method.isDefault()) {
                // the method of a superinterface is accessible only if that interface is, too
                at(subject, () -> Reflected.requireAccessible(method.getDeclaringClass()));
            }
            if (isMember) {
                if (method.isAnnotationPresent(Property.class)) {
                    at(subject, () -> addProperty(method, subject));
                } else {
                    at(subject, () -> add(method, subject));
                }
            }
        }
        for (Class<?> nested : type.getDeclaredClasses()) {
            if (DBusSignal.class.isAssignableFrom(nested)) {
                TypedSignal signal = TypedSignal.of(nested);
                unique(signal.subject(), signals.putIfAbsent(signal.member(), signal));
            }
        }
        List<TypedProperty> described = new ArrayList<>();
        properties.values().forEach(draft -> described.add(draft.property()));
        return new TypedInterface(
                type,
                name,
                List.copyOf(methods.values()),
                described,
                List.copyOf(signals.values()));
    }

    private String name() {
        if (!type.isInterface() || type.isAnnotation()) {
            throw new IllegalArgumentException(type.getName() + " is no interface");
        }
        Reflected.requireAccessible(type);
        if (type.isSealed()) {
            throw new IllegalArgumentException("a sealed interface has no proxies");
        }
        if (type.getTypeParameters().length > 0) {
            throw new IllegalArgumentException("an interface with type variables has no one type");
        }
        return MemberNames.ofInterface(type);
    }

    /**
     * Returns whether the method is a D-Bus member: default and static methods are not, nor are
     * those of Object.
     */
    private static boolean isMember(Method method) {
        return Modifier.isAbstract(method.getModifiers())
                && Arrays.stream(Object.class.getMethods())
                        .noneMatch(of ->
                                of.getName().equals(method.getName())
                                        && Arrays.equals(
                                                of.getParameterTypes(),
                                                method.getParameterTypes()));
    }

    private String subject(Method method) {
        return type.getSimpleName() + "." + method.getName();
    }

    // Methods

    private void add(Method method, String subject) {
        String member = MemberNames.ofMethod(method);
        List<Slot> in = new ArrayList<>();
        AnnotatedType[] types = method.getAnnotatedParameterTypes();
        for (int i = 0; i < types.length; i++) {
            in.add(argument(method.getParameters()[i], types[i], i));
        }
        boolean async = isStage(method.getReturnType());
        Result result = result(method.getAnnotatedReturnType(), async);
        boolean noReply = method.isAnnotationPresent(NoReply.class);
        if (noReply && method.getReturnType() != void.class) {
            throw new IllegalArgumentException("with @NoReply it returns void");
        }
        TypedMethod described =
                new TypedMethod(method, subject, member, List.copyOf(in), result, async, noReply);
        var _ = Signature.of(described.inSignature());
        var _ = Signature.of(result.signature());
        unique(method.toGenericString(), methods.putIfAbsent(member, described));
    }

    private static Slot argument(Parameter parameter, AnnotatedType type, int index) {
        String place = "argument %d (%s)".formatted(index + 1, parameter.getName());
        return at(
                place,
                () ->
                        new Slot(
                                place,
                                ArgumentNames.of(parameter.getName(), index),
                                TypeReader.read(type)));
    }

    private static boolean isStage(Class<?> type) {
        return type == CompletionStage.class || type == CompletableFuture.class;
    }

    private static Result result(AnnotatedType returned, boolean async) {
        String place = "the result";
        return at(
                place,
                () -> {
                    AnnotatedType type = async ? staged(returned) : returned;
                    if (type.getType() == void.class || type.getType() == Void.class) {
                        return new Result.None();
                    }
                    if (type.getType() instanceof Class<?> record
                            && record.isRecord()
                            && Outputs.class.isAssignableFrom(record)) {
                        return new Result.Several(several(record));
                    }
                    return new Result.One(new Slot(place, "result", TypeReader.read(type)));
                });
    }

    private static AnnotatedType staged(AnnotatedType type) {
        if (!(type instanceof AnnotatedParameterizedType parameterized)) {
            throw new IllegalArgumentException("a raw stage: add its type argument");
        }
        return parameterized.getAnnotatedActualTypeArguments()[0];
    }

    private static RecordShape several(Class<?> record) {
        RecordShape shape = TypeReader.readRecord(record);
        if (shape.components().isEmpty()) {
            throw new IllegalArgumentException(record.getSimpleName() + " has no components");
        }
        return shape;
    }

    private void unique(String one, @Nullable Object other) {
        if (other != null) {
            String first =
                    switch (other) {
                        case TypedMethod method -> method.method().toGenericString();
                        case TypedSignal signal -> signal.subject();
                        default -> other.toString();
                    };
            throw new IllegalArgumentException(
                    "two have the same D-Bus name, which @DBusName can change: "
                            + first
                            + " and "
                            + one);
        }
    }

    // Properties

    private void addProperty(Method method, String subject) {
        boolean reads = method.getParameterCount() == 0;
        boolean returns = method.getReturnType() != void.class;
        if (reads != returns || method.getParameterCount() > 1) {
            throw new IllegalArgumentException(
                    "a property is read without a parameter, or set by one without a result");
        }
        AnnotatedType type =
                reads ? method.getAnnotatedReturnType() : method.getAnnotatedParameterTypes()[0];
        WireType found =
                at(
                        reads ? "the result" : "argument 1",
                        () -> {
                            if (isStage(raw(type))) {
                                throw new IllegalArgumentException(
                                        "a property has no stage around it");
                            }
                            return TypeReader.read(type);
                        });
        if (found.signature().indexOf('h') >= 0) {
            throw new IllegalArgumentException("a property has no descriptors");
        }
        var _ = Signature.of(found.signature());
        String name = MemberNames.ofMethod(method);
        properties
                .computeIfAbsent(name, _ -> new PropertyDraft(subject, name, found))
                .add(method, found);
    }

    private static Class<?> raw(AnnotatedType type) {
        return type.getType() instanceof ParameterizedType generic
                ? (Class<?>) generic.getRawType()
                : type.getType() instanceof Class<?> plain ? plain : Object.class;
    }

    // Places

    private interface Part<T> {
        T read();
    }

    private static <T> T at(String place, Part<T> part) {
        try {
            return part.read();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException(place + ": " + e.getMessage(), e);
        }
    }

    private static void at(String place, Runnable part) {
        Object _ =
                at(
                        place,
                        () -> {
                            part.run();
                            return place;
                        });
    }
}
