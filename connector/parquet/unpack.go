package parquet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/snappy"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/format"
	"github.com/pierrec/lz4/v4"
)

// What is unpacked here cannot grow beyond what the page's header promises, and what the
// header of a run or of a delta block promises is compared with the page's: a damaged
// file must not fill the memory.

var zstdReader = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderMaxMemory(PageBytesMax), zstd.WithDecoderConcurrency(0))
	if err != nil {
		panic(err) // options are constant
	}
	return d
})

var errUnpackedSize = errors.New("it is not as long as the page's header says")

// unpackInto unpacks data into dst, all of which must become full.
func unpackInto(dst, data []byte, codec format.CompressionCodec) error {
	switch codec {
	case format.Snappy:
		if n, err := snappy.DecodedLen(data); err != nil || n != len(dst) {
			return errors.Join(err, errUnpackedSize)
		}
		_, err := snappy.Decode(dst, data)
		return err
	case format.Gzip:
		r, err := gzip.NewReader(bytes.NewReader(data))
		if err != nil {
			return err
		}
		return fill(dst, r)
	case format.Brotli:
		return fill(dst, brotli.NewReader(bytes.NewReader(data)))
	case format.Zstd:
		out, err := zstdReader().DecodeAll(data, dst[:0:len(dst)])
		if err == nil && len(out) != len(dst) {
			err = errUnpackedSize
		}
		return err
	case format.Lz4Raw:
		n, err := lz4.UncompressBlock(data, dst)
		if err == nil && n != len(dst) {
			err = errUnpackedSize
		}
		return err
	}
	return fmt.Errorf("the compression %s is not supported", codec)
}

func fill(dst []byte, r io.Reader) error {
	if _, err := io.ReadFull(r, dst); err != nil {
		return err
	}
	var more [1]byte
	if n, err := r.Read(more[:]); n > 0 || err != io.EOF && err != nil {
		return errors.Join(err, errUnpackedSize)
	}
	return nil
}

// plainDictionary is what older writers call RLEDictionary.
const plainDictionary = format.Encoding(2)

// runsSlack is how many values beyond the page's a last bit-packed run may hold.
const runsSlack = 512

// checkRuns adds up the runs of the hybrid encoding of levels and dictionary codes.
func checkRuns(data []byte, bitWidth, count int) error {
	if bitWidth > 32 {
		return fmt.Errorf("%w: values of %d bits", errDamaged, bitWidth)
	}
	left := uint64(count) + runsSlack
	for len(data) > 0 {
		u, n := binary.Uvarint(data)
		if n <= 0 {
			return errDamaged
		}
		run, length := u>>1, uint64(bitWidth+7)/8
		if u&1 != 0 {
			if run > left {
				return errDamaged
			}
			length = run * uint64(bitWidth)
			run *= 8
		}
		if run > left || uint64(len(data)-n) < length {
			return fmt.Errorf("%w: a run is longer than its page", errDamaged)
		}
		left -= run
		data = data[n+int(length):]
	}
	return nil
}

// checkDelta compares the count in the header of delta-encoded integers, or of lengths,
// with the page's.
func checkDelta(data []byte, count int) error {
	for range 2 {
		_, n := binary.Uvarint(data)
		if n <= 0 {
			return errDamaged
		}
		data = data[n:]
	}
	if total, n := binary.Uvarint(data); n <= 0 || total > uint64(count) {
		return fmt.Errorf("%w: more delta values than the page has", errDamaged)
	}
	return nil
}

// check looks at what an encoding promises before it is decoded.
func (b *body) check() error {
	switch b.encoding {
	case format.DeltaBinaryPacked, format.DeltaLengthByteArray, format.DeltaByteArray:
		return checkDelta(b.values, b.count)
	case format.RLE: // BOOLEAN, with its length in front
		if len(b.values) < 4 {
			return errDamaged
		}
		return checkRuns(b.values[4:min(len(b.values), 4+int(binary.LittleEndian.Uint32(b.values)))], 1, b.count)
	case format.RLEDictionary, plainDictionary:
		if len(b.values) == 0 {
			return nil
		}
		return checkRuns(b.values[1:], int(b.values[0]), b.count)
	}
	return nil
}
