package io.holdfast.dbus.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import io.holdfast.core.testkit.OpenDescriptors;
import io.holdfast.dbus.BusConnection;
import io.holdfast.dbus.ConnectionLostException;
import io.holdfast.dbus.ConnectionOptions;
import io.holdfast.dbus.DBusException;
import io.holdfast.dbus.NameFlag;
import io.holdfast.dbus.NameReply;
import io.holdfast.dbus.address.BusAddress;
import org.junit.jupiter.api.Test;

/** How the client connects, and which names it gets. */
@SuppressWarnings("try") // exported objects are only kept open
public abstract class ConnectingOnBus extends OnBus {
    @Test
    void eachConnectionHasItsOwnUniqueName() {
        assertThat(client().uniqueName()).startsWith(":1.").isNotEqualTo(service().uniqueName());
        assertThat(client().guid()).matches("[0-9a-f]{32}");
        assertThat(client().passesDescriptors()).isTrue();
        assertThat(client().isOpen()).isTrue();
    }

    @Test
    void theIdOfAnAddressIsChecked() throws Exception {
        String plain = bus().address().replaceFirst(",guid=.*", "");
        try (BusConnection right = BusConnection.connect(plain + ",guid=" + client().guid())) {
            assertThat(right.guid()).isEqualTo(client().guid());
        }
        assertThatExceptionOfType(ConnectionLostException.class)
                .isThrownBy(() -> BusConnection.connect(plain + ",guid=" + "f".repeat(32)).close())
                .withMessageContaining("ffff")
                .satisfies(e ->
                        assertThat(e.reason()).isEqualTo(ConnectionLostException.Reason.REFUSED));
    }

    @Test
    void theAddressesOfAListAreTriedInTurn() throws Exception {
        String list = "tcp:host=localhost,port=1;unix:path=/no/such;" + bus().address();
        try (BusConnection third = BusConnection.connect(list)) {
            assertThat(third.uniqueName()).startsWith(":1.");
        }
    }

    @Test
    void anonymousIsRefusedWithTheReason() {
        assertThatExceptionOfType(ConnectionLostException.class)
                .isThrownBy(() ->
                        BusConnection.connect(
                                        BusAddress.parseList(bus().address()),
                                        ConnectionOptions.standard().withAnonymous(true))
                                .close())
                .withMessageContaining("ANONYMOUS")
                .withMessageContaining("EXTERNAL");
    }

    @Test
    void connectingAndClosingLeavesNothing() throws Exception {
        OpenDescriptors before = OpenDescriptors.now();
        for (int i = 0; i < 30; i++) {
            try (BusConnection another = BusConnection.connect(bus().address())) {
                another.requestName("org.example.N" + i);
            }
        }
        before.awaitSameNumber();
    }

    @Test
    void namesAreTakenQueuedForAndPassedOn() throws Exception {
        String name = "org.example.Name";
        assertThat(client().owner(name)).isEmpty();
        assertThat(service().requestName(name)).isEqualTo(NameReply.PRIMARY_OWNER);
        assertThat(service().requestName(name)).isEqualTo(NameReply.ALREADY_OWNER);
        assertThat(client().requestName(name, NameFlag.DO_NOT_QUEUE)).isEqualTo(NameReply.EXISTS);
        assertThat(client().requestName(name)).isEqualTo(NameReply.IN_QUEUE);
        assertThat(client().owner(name)).contains(service().uniqueName());
        assertThat(service().releaseName(name)).isTrue();
        assertThat(service().releaseName(name)).isFalse();
        assertThat(client().owner(name)).contains(client().uniqueName());
        assertError(DBusException.INVALID_ARGS, () -> client().requestName("nodots"));
    }
}
