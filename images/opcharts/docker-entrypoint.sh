#!/bin/sh
# Run the installer where the data is of another version, then the daemons: as the vendor's installers do it in place.
set -e
exec 2>&1
omk=/usr/local/omk
own=$(cat /opt/installer/version)
trap end TERM HUP INT

end() { # daemons that nobody stopped before are cut off with what they had in hand
    for name in opchartsd omkd; do
        service "$name" status >/dev/null && echo "$name was cut off" >>"$omk/var/lost"
    done
    exit 0
}

if [ ! -e "$omk/version" ]; then
    echo "installing opCharts $own"
    mkdir -p "$omk/conf" "$omk/var"
    cp -R /opt/installer/bin "$omk/"
    echo "charts of the family ${own%%.*}" >"$omk/conf/opcharts.json"
    echo "$own" >"$omk/version"
fi
there=$(cat "$omk/version")
if [ "$there" != "$own" ]; then
    echo "opCharts installer $own on $there"
    [ "${there%%.*}" = "${own%%.*}" ] || { echo "ERROR: opCharts ${there%%.*} is of another family than $own"; exit 1; }
    # One file name a day: the next run of any installer replaces the backup of this one.
    [ "$OMK_BACKUP" != yes ] || tar -czf "$omk/omk-backup-$(date +%F).tgz" -C "$omk" bin conf version
    [ "$STAND_IN_INSTALLER" != while-running ] || service opchartsd start
    cp -R /opt/installer/bin "$omk/" # over what is there: nothing goes away
    echo "converted by $own" >>"$omk/conf/opcharts.json"
    echo "$own" >"$omk/version"
fi
service opchartsd start
service omkd start
echo "opCharts $own is up"
sleep 2147483647 &
wait $!
