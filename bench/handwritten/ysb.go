package main

import (
	"math"
	"slices"
	"time"
)

const (
	ysbWindow   = 100_000_000 // microseconds
	ysbSlotBits = 12
	ysbSlots    = 1 << ysbSlotBits
	ysbChunk    = 1024
)

// viewCounter is the state of countViews: an open-addressing table from ads to campaigns,
// and one cell per campaign.
type viewCounter struct {
	ad       [ysbSlots]int64
	campaign [ysbSlots]int32 // -1: free
	ids      []int64
	views    []int64
	last     []int64
	at       [ysbChunk]int32
	out      outcome
}

func slotOf(ad int64) int { return int(uint64(ad) * 0x9E3779B97F4A7C15 >> (64 - ysbSlotBits)) }

func newViewCounter(ads *dataset) *viewCounter {
	v := &viewCounter{}
	for i := range v.campaign {
		v.campaign[i] = -1
	}
	for i, ad := range ads.wide["ad_id"] {
		id := ads.wide["campaign_id"][i]
		c := slices.Index(v.ids, id)
		if c < 0 {
			c = len(v.ids)
			v.ids = append(v.ids, id)
		}
		s := slotOf(ad)
		for v.campaign[s] >= 0 {
			s = (s + 1) % ysbSlots
		}
		v.ad[s], v.campaign[s] = ad, int32(c)
	}
	v.views, v.last = make([]int64, len(v.ids)), make([]int64, len(v.ids))
	v.clear()
	return v
}

func (v *viewCounter) clear() {
	for c := range v.views {
		v.views[c], v.last[c] = 0, math.MinInt64
	}
}

func (v *viewCounter) close(end int64) {
	for c, n := range v.views {
		if n > 0 {
			v.out.add(with(with(with(with(0, end), v.ids[c]), n), v.last[c]))
		}
	}
	v.clear()
}

// countViews is YSB as a loop: filter, look up, count and take the latest time, per
// campaign in tumbling windows.
func countViews(d *dataset, rows int64) outcome {
	v := newViewCounter(d.lookups)
	ts, ads, types := d.wide["ts"], d.wide["ad_id"], d.narrow["event_type"]
	end, moved, lap := int64(ysbWindow), int64(0), d.lap.Microseconds()
	from := time.Now()
	for ; rows > 0; moved += lap {
		n := int(min(rows, int64(d.rows)))
		end = v.rows(ts[:n], ads[:n], types[:n], moved, end)
		rows -= int64(n)
	}
	v.close(end)
	v.out.seconds = time.Since(from).Seconds()
	return v.out
}

func (v *viewCounter) rows(ts, ads []int64, types []int32, moved, end int64) int64 {
	for i := 0; i < len(ts); {
		if t := ts[i] + moved; t >= end {
			v.close(end)
			end = (t/ysbWindow + 1) * ysbWindow
		}
		to := min(i+ysbChunk, len(ts))
		for ts[to-1]+moved >= end {
			to--
		}
		v.count(ts[i:to], ads[i:to], types[i:to], moved)
		i = to
	}
	return end
}

// count takes rows of one window: first the positions of views without a branch, then
// their ads.
func (v *viewCounter) count(ts, ads []int64, types []int32, moved int64) {
	m := 0
	for i, t := range types {
		v.at[m&(ysbChunk-1)] = int32(i)
		if t == 0 {
			m++
		}
	}
	for _, i := range v.at[:m] {
		ad := ads[i]
		s := slotOf(ad)
		for v.campaign[s] >= 0 && v.ad[s] != ad {
			s = (s + 1) % ysbSlots
		}
		if c := v.campaign[s]; c >= 0 {
			v.views[c]++
			v.last[c] = max(v.last[c], ts[i]+moved)
		}
	}
}
