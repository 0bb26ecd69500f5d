#!/bin/sh
# Boots a slot where there is no U-Boot: called from an initramfs that has fw_printenv and fw_setenv (libubootenv). It chooses as
# src/platform/slots/launcher.ts does: the first slot of BOOT_ORDER that has tries left, else the confirmed one, else slot A.
#   boot-launcher.sh FW_ENV_CONFIG                         prints A or B
#   boot-launcher.sh FW_ENV_CONFIG COMMAND_A COMMAND_B     becomes the command of the slot:
#     boot-launcher.sh /etc/fw_env.config 'mount /dev/mmcblk0p2 /new && exec switch_root /new /sbin/init' 'mount /dev/mmcblk0p3 …'
# Each call counts a try, also the one that only prints.
set -euf
IFS=' '
config=${1:?usage: boot-launcher.sh FW_ENV_CONFIG [COMMAND_A COMMAND_B]}

say() { echo "boot-launcher: $*" >&2; }
# Nothing where the variable is not there, or neither copy can be read.
get() { fw_printenv -c "$config" -n "$1" 2>/dev/null || :; }
# The number that a value begins with, in decimal whatever zeroes stand before it; what is none, or has ten digits, is no try.
tries() {
  digits=$(get "BOOT_$1_LEFT")
  digits=${digits#"${digits%%[! ]*}"}
  digits=${digits#+}
  digits=${digits%%[!0-9]*}
  digits=${digits#"${digits%%[!0]*}"}
  [ "${#digits}" -le 9 ] || digits=0
  echo "${digits:-0}"
}

confirmed=$(get CONFIRMED)
slot=
case $confirmed in
  A | B)
    for name in $(get BOOT_ORDER); do
      case $name in A | B) ;; *) continue ;; esac
      left=$(tries "$name")
      [ "$left" -gt 0 ] || continue
      slot=$name
      break
    done
    slot=${slot:-$confirmed} ;;
  *)
    say 'the boot record cannot be read: slot A, as it was built in'
    slot=A confirmed=A ;;
esac

if [ "$slot" != "$confirmed" ]; then
  # Where fw_setenv keeps its lock, which an initramfs may lack.
  mkdir -p /var/lock 2>/dev/null || :
  # One write of the older copy, synced. A try that is not counted could be repeated for ever: then the slot that is known to be good.
  if ! fw_setenv -c "$config" "BOOT_${slot}_LEFT" $((left - 1)) || [ "$(tries "$slot")" != $((left - 1)) ]; then
    say "the try of slot $slot cannot be counted: slot $confirmed, which is confirmed"
    slot=$confirmed
  fi
fi

[ "$#" -ge 3 ] || { echo "$slot"; exit 0; }
say "slot $slot"
case $slot in A) exec sh -c "$2" ;; B) exec sh -c "$3" ;; esac
