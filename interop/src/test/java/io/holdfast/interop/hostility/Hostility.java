package io.holdfast.interop.hostility;

import io.holdfast.core.socket.UnixSocket;
import java.time.Duration;

/** What an attacker does to a face: a column of the matrix. */
enum Hostility {
    UNREAD_REPLIES("8 connections with 120 calls each, and no reply read") {
        @Override
        void run(Attack attack) throws InterruptedException {
            for (int i = 0; i < 8; i++) {
                UnixSocket socket = attack.connect();
                attack.inBackground(() -> attack.call(socket, 120, 0));
            }
        }
    },

    FULL_SOCKETS("8 connections that call 1024 times if there is room, and read nothing") {
        @Override
        void run(Attack attack) throws InterruptedException {
            for (int i = 0; i < 8; i++) {
                UnixSocket socket = attack.connect();
                attack.inBackground(() -> attack.call(socket, 1024, 0));
            }
        }
    },

    HALF_SENT("connections that stop in the middle of a call") {
        @Override
        void run(Attack attack) throws InterruptedException {
            for (int i = 0; i < attack.connections(); i++) {
                UnixSocket socket = attack.connect();
                attack.call(socket, 1, 0);
                attack.callInPart(socket, 1 + i);
            }
        }
    },

    DESCRIPTORS("8 connections with 120 calls each and 16 descriptors beside each call") {
        @Override
        void run(Attack attack) throws InterruptedException {
            for (int i = 0; i < 8; i++) {
                UnixSocket socket = attack.connect();
                attack.inBackground(() -> attack.call(socket, 120, 16));
            }
        }
    },

    DESCRIPTORS_BESIDE_PARTS("256 connections with 64 descriptors each beside a part of a call") {
        @Override
        void run(Attack attack) throws InterruptedException {
            for (int i = 0; i < 256; i++) {
                attack.beginCall(attack.connect(), 64);
            }
        }
    },

    COMING_AND_GOING("connections that call and go without reading, as fast as they can") {
        @Override
        void run(Attack attack) throws InterruptedException {
            attack.comeAndGo(Duration.ofSeconds(Boolean.getBoolean("holdfast.long") ? 2 : 1));
        }
    };

    private final String text;

    Hostility(String text) {
        this.text = text;
    }

    /** Attacks until everything is done, or the thread is interrupted. */
    abstract void run(Attack attack) throws InterruptedException;

    @Override
    public String toString() {
        return text;
    }
}
