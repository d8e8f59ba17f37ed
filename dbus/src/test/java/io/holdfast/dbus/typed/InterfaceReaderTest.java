package io.holdfast.dbus.typed;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import io.holdfast.core.Fd;
import io.holdfast.core.testkit.SameOnEveryKernel;
import java.math.BigInteger;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Which interfaces are valid D-Bus interfaces, and the errors for the others. */
@SameOnEveryKernel
class InterfaceReaderTest {
    /** A valid interface, with methods that are no D-Bus methods. */
    public interface Good extends Above {
        void plain();

        @Override
        String toString();

        default void ofJava() {}

        static void alsoOfJava() {}

        @DBusName("lower")
        Pair pair(List<Map<String, Pair>> pairs);
    }

    /** The members of a superinterface are members of the interface too. */
    public interface Above {
        void above();
    }

    /** A struct. */
    public record Pair(int first, @Wire("t") BigInteger second) {}

    interface Hidden {}

    interface HiddenAbove {
        void above();
    }

    /** A member of a superinterface that is not public. */
    public interface Inherited extends HiddenAbove {}

    /** The same member, declared again by a public interface. */
    public interface DeclaredAgain extends HiddenAbove {
        @Override
        void above();
    }

    interface HiddenDefault {
        default void ofJava() {}
    }

    /** A default method of a superinterface that is not public. */
    public interface InheritedDefault extends HiddenDefault {}

    /** Overloads. */
    public interface Overloaded {
        void add(int a);

        void add(long a);
    }

    /** A name clash that the annotation causes. */
    public interface Renamed {
        void one();

        @DBusName("One")
        void other();
    }

    /** A raw list as an argument. */
    @SuppressWarnings("rawtypes")
    public interface RawList {
        void names(int n, List names);
    }

    /** A wildcard in an argument. */
    public interface Wildcard {
        void names(List<? extends String> names);
    }

    /** A type variable as an argument. */
    public interface Variable {
        <T> void names(T name);
    }

    /** An array of lists. */
    public interface Arrays {
        List<String>[] names();
    }

    /** A float, which D-Bus does not have. */
    public interface Floating {
        void half(float number);
    }

    /** A class without a D-Bus type. */
    public interface Unknown {
        OptionalInt name();
    }

    /** A collection other than List and Map. */
    public interface Other {
        void names(Collection<String> names);
    }

    /** A map key that is no basic type. */
    public interface Keys {
        void map(Map<List<String>, String> map);
    }

    /** A BigInteger without its D-Bus type. */
    public interface Unsaid {
        void big(BigInteger number);
    }

    /** A D-Bus type that does not fit a number. */
    public interface Mistaken {
        void count(@Wire("s") long number);
    }

    /** A D-Bus type that does not fit a text. */
    public interface NotOfText {
        void count(@Wire("u") String number);
    }

    /** A record that contains itself. */
    public record Tree(String name, List<Tree> below) {}

    /** A method with a record that contains itself. */
    public interface Endless {
        void grow(Tree tree);
    }

    /** A record without components. */
    public record Empty() {}

    /** A method with an empty struct. */
    public interface Nothing {
        void give(Empty empty);
    }

    /** A record of several outputs. */
    public record Both(int a, int b) implements Outputs {}

    /** A method with several outputs as an argument. */
    public interface Several {
        void give(Both both);
    }

    /** A raw stage as a result. */
    @SuppressWarnings("rawtypes")
    public interface RawStage {
        CompletionStage later();
    }

    /** An invalid interface name. */
    @DBusName("nodot")
    public interface BadName {}

    /** An invalid member name. */
    public interface BadMember {
        @DBusName("a-b")
        void member();
    }

    /** A method with a result and without a reply. */
    public interface Replying {
        @NoReply
        int member();
    }

    /** A property method with both a parameter and a result. */
    public interface Odd {
        @Property
        String zone(String value);
    }

    /** A property with two types. */
    public interface Torn {
        @Property
        String zone();

        @Property
        void zone(int value);
    }

    /** A property with a descriptor. */
    public interface Open {
        @Property
        Fd file();
    }

    /** A property with a stage. */
    public interface Slow {
        @Property
        CompletableFuture<String> file();
    }

    /** An interface with a type variable. */
    public interface Generic<T> {
        void give(T value);
    }

    /** A sealed interface, which has no proxies. */
    public sealed interface Sealed permits Member {}

    /** The permitted class of the sealed interface. */
    public record Member() implements Sealed {}

    /** An interface with an invalid signal. */
    public interface BadSignal {
        /** A signal with an array of a type that D-Bus does not have. */
        @SuppressWarnings("ArrayRecordComponent") // the array is the fault
        record Tick(float[] all) implements DBusSignal {}
    }

    static Stream<Arguments> refused() {
        return Stream.of(
                arguments(Hidden.class, List.of("Hidden: ", "is not public")),
                arguments(
                        Inherited.class, List.of("Inherited.above: ", "HiddenAbove is not public")),
                arguments(
                        InheritedDefault.class,
                        List.of("InheritedDefault.ofJava: ", "HiddenDefault is not public")),
                arguments(String.class, List.of("String: ", "no interface")),
                arguments(Override.class, List.of("Override: ", "no interface")),
                arguments(
                        Overloaded.class, List.of("Overloaded.add: two", "add(int)", "add(long)")),
                arguments(Renamed.class, List.of("Renamed.other: two", "one()", "other()")),
                arguments(RawList.class, List.of("RawList.names: argument 2 (arg1): a raw List")),
                arguments(Wildcard.class, List.of("Wildcard.names: argument 1 (arg0): a wildcard")),
                arguments(
                        Variable.class,
                        List.of("Variable.names: argument 1 (arg0): a type variable")),
                arguments(
                        Arrays.class,
                        List.of("Arrays.names: the result: java.util.List", "use a List")),
                arguments(
                        Floating.class,
                        List.of("Floating.half: argument 1 (arg0): float", "double")),
                arguments(
                        Unknown.class, List.of("Unknown.name: the result: java.util.OptionalInt")),
                arguments(
                        Other.class,
                        List.of("Other.names: argument 1 (arg0): java.util.Collection")),
                arguments(Keys.class, List.of("Keys.map: argument 1 (arg0): the keys of a Map")),
                arguments(
                        Unsaid.class,
                        List.of("Unsaid.big: argument 1 (arg0): BigInteger needs @Wire")),
                arguments(
                        Mistaken.class, List.of("Mistaken.count: argument 1 (arg0): @Wire(\"s\")")),
                arguments(
                        NotOfText.class,
                        List.of("NotOfText.count: argument 1 (arg0): @Wire(\"u\")")),
                arguments(
                        Endless.class,
                        List.of("Endless.grow: ", "Tree.below: ", "a part of itself")),
                arguments(Nothing.class, List.of("Nothing.give: ", "Empty has no components")),
                arguments(Several.class, List.of("Several.give: ", "Both is several values")),
                arguments(RawStage.class, List.of("RawStage.later: the result: a raw stage")),
                arguments(
                        BadName.class, List.of("BadName: \"nodot\" is not a D-Bus interface name")),
                arguments(
                        BadMember.class,
                        List.of("BadMember.member: \"a-b\" is not a D-Bus member name")),
                arguments(
                        Replying.class, List.of("Replying.member: with @NoReply it returns void")),
                arguments(Odd.class, List.of("Odd.zone: a property is read without a parameter")),
                arguments(
                        Torn.class, List.of("Torn.zone: it is read and set with different types")),
                arguments(Open.class, List.of("Open.file: a property has no descriptors")),
                arguments(Slow.class, List.of("Slow.file: the result: a property has no stage")),
                arguments(Generic.class, List.of("Generic: an interface with type variables")),
                arguments(Sealed.class, List.of("Sealed: a sealed interface")),
                arguments(BadSignal.class, List.of("BadSignal.Tick: Tick.all: float has")));
    }

    @ParameterizedTest
    @MethodSource("refused")
    void whatDBusDoesNotHaveIsRefusedByPlace(Class<?> type, List<String> parts) {
        assertThatIllegalArgumentException()
                .isThrownBy(() -> TypedInterface.of(type))
                .withMessageStartingWith(parts.getFirst())
                .satisfies(e -> assertThat(e.getMessage()).contains(parts));
    }

    @Test
    void allElseIsAnInterface() {
        TypedInterface good = TypedInterface.of(Good.class);
        assertThat(good.name()).isEqualTo("io.holdfast.dbus.typed.InterfaceReaderTest.Good");
        assertThat(good.methods())
                .extracting(TypedMethod::member)
                .containsExactly("Above", "Plain", "lower");
        TypedMethod pair = good.methods().getLast();
        assertThat(pair.inSignature()).isEqualTo("aa{s(it)}");
        assertThat(pair.result().signature()).isEqualTo("(it)");
        assertThat(TypedInterface.of(Good.class)).isSameAs(good);
        assertThat(TypedInterface.of(DeclaredAgain.class).methods())
                .extracting(TypedMethod::member)
                .containsExactly("Above");
    }
}
