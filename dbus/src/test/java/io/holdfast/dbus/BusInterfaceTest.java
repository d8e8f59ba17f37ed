package io.holdfast.dbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.holdfast.core.testkit.SameOnEveryKernel;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

@SameOnEveryKernel
class BusInterfaceTest {
    private static final String NAME = "org.example.Test";
    private static final MethodHandler NOTHING = _ -> List.of();

    private static void assertRefused(String reason, ThrowingCallable call) {
        assertThatIllegalArgumentException().isThrownBy(call).withMessageContaining(reason);
    }

    @Test
    void whatCannotBeDescribedIsRefused() {
        BusInterface.Builder builder = BusInterface.named(NAME).signal("Is", "");
        assertRefused("interface name", () -> BusInterface.named("nodots"));
        assertRefused("member name", () -> builder.method("1st", "", "", NOTHING));
        assertRefused("signature", () -> builder.method("M", "(", "", NOTHING));
        assertRefused("2 arguments and 1", () -> builder.method("M", "i", "i", NOTHING, "a"));
        assertRefused("member name", () -> builder.method("M", "i", "", NOTHING, "a\"b"));
        assertRefused("one type", () -> builder.property("P", "ii", () -> 1));
        assertRefused("one type", () -> builder.property("P", "", () -> 1));
        assertRefused("without descriptors", () -> builder.property("P", "ah", () -> 1));
        assertRefused("has Is already", () -> builder.signal("Is", "i"));
        assertRefused("has no method Is", () -> builder.noReply("Is"));
    }

    @Test
    void argumentsAndReturnValuesAreLimitedSeparately() {
        BusInterface described =
                BusInterface.named(NAME)
                        .method("M", "i".repeat(200), "s".repeat(200), NOTHING)
                        .build();
        assertThat(described.methods().values())
                .singleElement()
                .satisfies(method -> {
                    assertThat(method.inArguments()).hasSize(200);
                    assertThat(method.outArguments()).hasSize(200);
                });
    }

    @Test
    void whatIsAddedLaterDoesNotChangeWhatWasBuilt() {
        BusInterface.Builder builder = BusInterface.named(NAME).method("M", "", "", NOTHING);
        BusInterface built = builder.build();
        builder.method("N", "", "", NOTHING);
        assertThat(built.methods()).containsOnlyKeys("M");
        assertThat(built.name()).isEqualTo(NAME);
    }

    @Test
    void theXmlTellsHowPropertiesChange() {
        BusInterface described =
                BusInterface.named(NAME)
                        .property("A", "s", () -> "", null, BusInterface.Change.CONSTANT)
                        .property("B", "s", () -> "", _ -> {}, BusInterface.Change.SILENT)
                        .method("M", "a{sv}", "", NOTHING)
                        .build();
        assertThat(
                        StandardInterfaces.xml(
                                List.of(described),
                                StandardInterfaces.OF_OBJECTS,
                                List.of("x", "y")))
                .startsWith("<!DOCTYPE node PUBLIC")
                .contains("EmitsChangedSignal\" value=\"const\"/>")
                .contains("access=\"readwrite\">")
                .contains("<arg type=\"a{sv}\" direction=\"in\"/>")
                .endsWith(" <node name=\"x\"/>\n <node name=\"y\"/>\n</node>\n");
    }
}
